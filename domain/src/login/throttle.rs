//! Login throttle port: failed logins per client address, and attempts in progress.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::quota::Budget;
use crate::user::Account;

/// An attempt of an account that is in progress. Dropping it ends the attempt.
#[async_trait]
pub trait AttemptInProgress: Send {
    /// Waits until no other attempt of the account is being admitted on this node. The admission ends with
    /// [`AttemptInProgress::admitted`] or [`AttemptInProgress::throttled`].
    async fn admitting(&mut self);

    /// The attempt was admitted and counted.
    fn admitted(&mut self);

    /// The attempt was throttled. Waits until another admitted attempt of the account ends on this node, and returns `true` if one
    /// has ended since [`AttemptInProgress::admitting`]. Returns `false` if there is none, and if the attempt has waited for a few
    /// seconds in all.
    async fn throttled(&mut self) -> bool;
}

/// Login throttle port. Counts failed logins in bounded memory, and evicts the oldest entries. Delays MUST follow a
/// [`MonotonicClock`](crate::MonotonicClock).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginThrottle: Send + Sync {
    /// Begins an attempt of an account. If [`Attempts::FREE_FAILURES`](crate::user::Attempts::FREE_FAILURES) attempts of the account
    /// are in progress on this node, waits for the end of one. Returns `None` after a few seconds.
    async fn begin(&self, account: Account) -> Option<Box<dyn AttemptInProgress>>;

    /// Returns the remaining failed logins of a client address (IPv6: of its /64), without counting one.
    fn budget(&self, client: IpAddr) -> Budget;

    /// Counts a login of a client address in one step with the check that the address has one left.
    ///
    /// # Errors
    /// The unchanged budget if none is left.
    fn take(&self, client: IpAddr) -> Result<Budget, Budget>;

    /// Withdraws a login that did not fail.
    fn give_back(&self, client: IpAddr);
}
