//! The harness: what the suites of this package set their tests up with.

#![expect(clippy::missing_panics_doc, reason = "everything here panics where a test is to fail")]

pub mod client;
pub mod clock;
pub mod database;
pub mod faults;
pub mod postgres_proxy;
pub mod program;
pub mod recording;
pub mod server;
