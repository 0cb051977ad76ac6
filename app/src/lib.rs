//! The `rollbook` program: HTTP, configuration, command line, and the composition of the adapters.

// Commands print with `cli::output`, which escapes invisible characters.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod background_tasks;
pub mod change_watch;
pub mod cli;
pub mod composition;
pub mod http;
pub mod server;
pub mod stores;
pub mod system;
