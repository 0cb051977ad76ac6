//! Request quotas, which isolate callers from one another (OWASP API4:2023).

use std::net::IpAddr;

use async_trait::async_trait;
use thiserror::Error;
use time::Duration;

use crate::UserId;

/// Remaining quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Total number of units.
    pub quota: u32,
    /// Time in which a whole quota is restored; for failed logins of an account, the maximum delay before an attempt.
    pub window: Duration,
    /// Remaining units.
    pub left: u32,
    /// Time until the next unit is restored; zero if none is used.
    pub next_in: Duration,
}

/// Owner of a request quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requester {
    /// A user with a valid token, over all connections.
    User(UserId),
    /// A client address without a valid token; `None` for all clients of unknown address.
    Address(Option<IpAddr>),
}

/// Number of requests per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestQuota(u32);

/// The number is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from {} to {} requests a minute", RequestQuota::MIN.0, RequestQuota::MAX.0)]
pub struct RequestQuotaError;

impl RequestQuota {
    /// Enough for interactive use.
    pub const MIN: Self = Self(60);
    /// Higher than the throughput of one machine: effectively unlimited.
    pub const MAX: Self = Self(10_000_000);
    /// Time in which a whole quota is restored; for failed logins of an account, the maximum delay before an attempt.
    pub const WINDOW: Duration = Duration::MINUTE;

    /// # Errors
    /// [`RequestQuotaError`] outside of [`Self::MIN`] to [`Self::MAX`].
    pub const fn new(requests: u32) -> Result<Self, RequestQuotaError> {
        if requests < Self::MIN.0 || requests > Self::MAX.0 {
            return Err(RequestQuotaError);
        }
        Ok(Self(requests))
    }

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for RequestQuota {
    /// 100 per second on average, more than well-behaved clients need.
    fn default() -> Self {
        Self(6_000)
    }
}

/// Request counter in bounded memory: the oldest entries are evicted. The refill MUST follow a
/// [`MonotonicClock`](crate::MonotonicClock).
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RequestQuotas: Send + Sync {
    /// Counts one request and returns the remaining quota. IPv6 addresses share the quota of their /64.
    ///
    /// # Errors
    /// The unchanged budget if no request is left.
    fn take(&self, requester: Requester) -> Result<Budget, Budget>;
}

/// Turns of searches ([`Reach::Search`](crate::Reach::Search)), or of exports: those of one user run one after another, so that they
/// cannot occupy every place of the store.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Waits until it is the user's turn on this node. Dropping the result ends the turn.
    async fn turn(&self, user: UserId) -> Box<dyn Send>;
}
