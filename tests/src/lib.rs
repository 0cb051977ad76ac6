//! Test harness: servers, clients, databases and faults for the test suites of this package.

#![expect(clippy::missing_panics_doc, reason = "the harness panics if a test fails")]

pub mod client;
pub mod clock;
pub mod database;
pub mod faults;
pub mod postgres_proxy;
pub mod program;
pub mod recording;
pub mod reverse_proxy;
pub mod server;
