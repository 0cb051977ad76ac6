//! The port to what is remembered of guessing beside the accounts: by client address, and of names that are nobody's.

use std::net::IpAddr;

use time::OffsetDateTime;

use crate::quota::Budget;
use crate::user::Admission;

/// Remembers failed logins in bounded memory, which nobody can fill: what is oldest gives way.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait LoginThrottle: Send + Sync {
    /// What a client's address has left of its failed logins. IPv6 addresses count by their /64. Counts nothing.
    fn budget(&self, client: IpAddr, now: OffsetDateTime) -> Budget;

    /// Counts a failed login of a client's address.
    fn failed(&self, client: IpAddr, now: OffsetDateTime);

    /// Admits a login under a name that is nobody's, and counts it, as [`CredentialStore::admit_login`](crate::user::CredentialStore)
    /// does for a user. Names come as they compare, folded like a user's. MUST keep a keyed hash in place of the name:
    /// people type passwords there.
    fn admit_unknown(&self, name: &str, now: OffsetDateTime) -> Admission;

    /// Takes an admitted login back that was never tried.
    fn withdraw_unknown(&self, name: &str);

    /// How many logins under a name that is nobody's have failed in a row.
    fn failures_of_unknown(&self, name: &str) -> u32;
}
