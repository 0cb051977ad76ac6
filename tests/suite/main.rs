//! Every test that runs the service from end to end, and the tests of the house itself.

#![expect(clippy::unwrap_used, reason = "a test's own steps, too, may fail only by panicking")]

mod anonymous;
mod architecture;
mod articles;
mod cli;
mod conditional;
mod document;
mod first_start;
mod framework_errors;
mod identity;
mod installation;
mod merge_patch;
mod students;
