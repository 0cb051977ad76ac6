//! End-to-end tests of the service, and tests of the rules of the repository.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed step of a test panics")]

mod access;
mod accounts_cli;
mod anonymous;
mod architecture;
mod articles;
mod audit;
mod audit_cli;
mod backup;
mod bound;
mod changes;
mod cli;
mod conditional;
mod connections;
mod contract_mode;
mod cross_origin;
mod demo;
mod denied_requests;
mod document;
mod durability;
mod early_responses;
mod effective_settings;
mod examples;
mod exports;
mod faults;
mod first_start;
mod forwarded;
mod framework_errors;
#[cfg(target_os = "linux")]
mod full_disk;
mod identity;
mod installation;
mod key_emergency;
mod keys;
mod kills;
mod login_throttle;
mod logs;
mod merge_patch;
mod nodes;
mod output_streams;
mod own_password;
mod quotas;
mod refreshes;
mod request_heads;
mod requirements;
mod rotation;
mod searches;
mod secrecy;
mod secret_text;
mod secret_urls;
mod sessions;
mod settings;
mod shutdown;
mod students; // resource
mod text;
mod token_cli;
mod users; // resource
