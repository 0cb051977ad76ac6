//! Rollbook, the program: HTTP, configuration and command line around the domain, and the place where the
//! adapters are put together.

pub mod cli;
pub mod composition;
pub mod http;
pub mod server;
pub mod stores;
pub mod system;
pub mod upkeep;
