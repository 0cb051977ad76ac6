//! The port to what is remembered of guessing beside the accounts: by client address, and of names that are nobody's.

use std::net::IpAddr;

use time::{Duration, OffsetDateTime};

use super::Admission;

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many there are when nothing is used.
    pub quota: u32,
    /// The time in which a whole quota comes back.
    pub window: Duration,
    /// How many are left now.
    pub left: u32,
    /// When the next one comes back; zero where none is missing.
    pub next_in: Duration,
}

/// Remembers failed logins in bounded memory, which nobody can fill: what is oldest gives way.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Guesses: Send + Sync {
    /// What a client's address has left of its failed logins. IPv6 addresses count by their /64. Counts nothing.
    fn budget(&self, client: IpAddr, now: OffsetDateTime) -> Budget;

    /// Counts a failed login of a client's address.
    fn failed(&self, client: IpAddr, now: OffsetDateTime);

    /// Admits a login under a name that is nobody's, and counts it, as [`UserStore::admit_login`](super::UserStore)
    /// does for a user. MUST keep a keyed hash in place of the name: people type passwords there.
    fn admit_nobody(&self, name: &str, now: OffsetDateTime) -> Admission;

    /// Takes an admitted login back that was never tried.
    fn withdraw_nobody(&self, name: &str);

    /// How many logins under a name that is nobody's have failed in a row.
    fn failures_of_nobody(&self, name: &str) -> u32;
}
