//! Rollbook's store ports on PostgreSQL 15 and later, for several nodes on one database.
//!
//! [`PostgresStore`] stores students, users, sessions and the audit log, and migrates the schema when it connects. The
//! database enforces every rule that spans records, so that it holds across nodes.

mod attempts;
mod audit;
mod availability;
mod changes;
mod connection;
mod connector;
mod failure;
mod gram_statistics;
mod heartbeats;
mod instant;
mod invalidation_feed;
mod migration;
mod open;
mod open_error;
mod options;
mod places;
mod pool;
mod probe;
mod records;
mod rows;
mod search;
mod session_lookup;
mod sessions;
mod store;
mod students; // resource
mod table;
mod url;
mod users; // resource

pub use open_error::OpenError;
pub use options::{Options, location};
pub use store::PostgresStore;
