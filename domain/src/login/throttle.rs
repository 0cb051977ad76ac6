//! Login throttle port: failed logins per client address and per unknown username.

use std::net::IpAddr;

use crate::quota::Budget;
use crate::user::Admission;

/// Login throttle port. Counts failed logins in bounded memory, and evicts the oldest entries. Delays MUST follow a
/// [`MonotonicClock`](crate::MonotonicClock).
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait LoginThrottle: Send + Sync {
    /// Returns the remaining failed logins of a client address (IPv6: of its /64), without counting one.
    fn budget(&self, client: IpAddr) -> Budget;

    /// Counts a failed login of a client address.
    fn failed(&self, client: IpAddr);

    /// Admits and counts a login with an unknown username as
    /// [`CredentialStore::admit_login`](crate::user::CredentialStore::admit_login) does for a user. `name` is folded as a
    /// username is. MUST store only a keyed hash of the name, because users may enter a password there by mistake.
    ///
    /// # Errors
    /// [`Throttled`](crate::user::Throttled), without counting the login, before the delay of the name is over.
    fn admit_unknown(&self, name: &str) -> Admission;

    /// Withdraws an admitted login with an unknown username if the password was not verified.
    fn withdraw_unknown(&self, name: &str);

    /// Returns the number of consecutive failed logins with an unknown username.
    fn failures_of_unknown(&self, name: &str) -> u32;
}
