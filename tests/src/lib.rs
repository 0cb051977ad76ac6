//! The harness: what the suites of this package set their tests up with.

pub mod client;
pub mod database;
pub mod program;
pub mod server;
