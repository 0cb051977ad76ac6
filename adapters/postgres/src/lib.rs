//! Rollbook's store ports on Postgres 15 and later, for several nodes on one database.
//!
//! [`PostgresStore`] keeps the students, the users, their sessions and the audit. It brings the schema up to date when
//! it connects, and every rule that spans records is decided in the database, so that it holds across nodes.

mod attempts;
mod audit;
mod failure;
mod instant;
mod invalidation_feed;
mod open;
mod open_error;
mod options;
mod probe;
mod records;
mod rows;
mod searches;
mod session_lookup;
mod sessions;
mod store;
mod students; // resource
mod table;
mod users; // resource

pub use open_error::OpenError;
pub use options::Options;
pub use store::PostgresStore;
