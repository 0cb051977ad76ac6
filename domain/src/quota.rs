//! Quotas: how much anybody may ask for, so that nobody takes it from the others (OWASP API4:2023).

use std::net::IpAddr;

use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::UserId;

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

/// Whose quota of requests one counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requester {
    /// Whoever shows a good token, on however many connections from wherever.
    User(UserId),
    /// Whoever does not, by address; where addresses are not known, all such are one.
    Address(Option<IpAddr>),
}

/// How many requests a requester may make in a minute, at once or one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestQuota(u32);

/// The number is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {} to {} requests a minute", RequestQuota::LEAST.0, RequestQuota::MOST.0)]
pub struct RequestQuotaError;

impl RequestQuota {
    /// Less would keep people from their work.
    pub const LEAST: Self = Self(60);
    /// More than any machine answers: as good as none.
    pub const MOST: Self = Self(10_000_000);
    /// The time in which a whole quota comes back.
    pub const WINDOW: Duration = Duration::MINUTE;

    /// # Errors
    /// [`RequestQuotaError`] outside of [`Self::LEAST`] to [`Self::MOST`].
    pub const fn new(requests: u32) -> Result<Self, RequestQuotaError> {
        if requests < Self::LEAST.0 || requests > Self::MOST.0 {
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
    /// 100 a second on average: far more than people and well-made programs ask for.
    fn default() -> Self {
        Self(6_000)
    }
}

/// Counts requests in bounded memory, which nobody can fill: what is oldest gives way.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RequestQuotas: Send + Sync {
    /// Counts one request where there is one left, and answers what is left after it. IPv6 addresses count by their /64.
    ///
    /// # Errors
    /// The budget as it is where none is left: then nothing is counted.
    fn take(&self, requester: Requester, now: OffsetDateTime) -> Result<Budget, Budget>;
}
