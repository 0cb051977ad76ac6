//! Password port on argon2id (RFC 9106) behind a bounded queue: a hash takes tens of milliseconds and 19 MiB, so excess
//! work is rejected immediately.

mod hasher;
mod queue;
mod waiting;

pub use hasher::Argon2Hasher;
pub use queue::Limits;
