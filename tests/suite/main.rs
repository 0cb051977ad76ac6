//! Every test that runs the service from end to end, and the tests of the house itself.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's own steps, too, may fail only by panicking")]

mod access;
mod accounts_cli;
mod anonymous;
mod architecture;
mod articles;
mod audit;
mod audit_cli;
mod bound;
mod cli;
mod conditional;
mod connections;
mod contract_mode;
mod cross_origin;
mod demo;
mod document;
mod durability;
mod examples;
mod faults;
mod first_start;
mod framework_errors;
#[cfg(target_os = "linux")]
mod full_disk;
mod identity;
mod installation;
mod keys;
mod login_throttle;
mod merge_patch;
mod nodes;
mod own_password;
mod quotas;
mod rotation;
mod secrecy;
mod sessions;
mod shutdown;
mod students; // resource
mod token_cli;
mod users; // resource
