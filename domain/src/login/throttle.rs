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

    /// The attempt was admitted, with this number of consecutive failures including it.
    fn admitted(&mut self, counted: u32);

    /// The attempt was throttled. Waits until another admitted attempt of the account ends on this node, and returns `true` if one
    /// has ended since [`AttemptInProgress::admitting`]. Returns `false` if there is none, and if the attempt has waited for a few
    /// seconds in all.
    async fn throttled(&mut self) -> bool;

    /// Waits as [`AttemptInProgress::admitting`] for the withdrawal of the admitted attempt. Returns the count to withdraw: the
    /// highest of the account's attempts in progress on this node, which exchange their counts. Otherwise a later attempt
    /// would keep its count, and the delay that it caused, after the withdrawal of an earlier one.
    async fn withdrawing(&mut self) -> u32;
}

/// A login of a client address that is in progress. It counts as a failure until it is dropped, and remains counted if it
/// failed.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait LoginInProgress: Send {
    /// The login failed by its password.
    fn failed(self: Box<Self>);
}

/// Login throttle port. Counts failed logins in bounded memory, and evicts the oldest entries. Delays MUST follow a
/// [`MonotonicClock`](crate::MonotonicClock).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginThrottle: Send + Sync {
    /// Begins an attempt of an account. If [`Attempts::FREE_FAILURES`](crate::user::Attempts::FREE_FAILURES) attempts of the account
    /// are in progress on this node, waits for the end of one. Returns `None` after a few seconds.
    async fn begin_attempt(&self, account: Account) -> Option<Box<dyn AttemptInProgress>>;

    /// Begins a login of a client address (IPv6: of its /64), and counts it in one step with the check that the address has one
    /// left. If it has none, but logins in progress, or too many of these, waits for the end of one. Returns `None` if too many
    /// are still in progress after a few seconds.
    ///
    /// # Errors
    /// The budget of the address if none is left.
    async fn begin_login(&self, client: IpAddr) -> Result<Option<Box<dyn LoginInProgress>>, Budget>;

    /// Returns the remaining failed logins of a client address, without counting one.
    fn budget(&self, client: IpAddr) -> Budget;
}
