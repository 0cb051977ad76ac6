//! How long sessions last.

use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::token::TokenLifetime;

/// How long a session lasts without a refresh, and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetimes {
    idle: Duration,
    absolute: Duration,
}

/// The durations do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionLifetimesError {
    #[error("a session must be good for longer than its token: at least {}", .0)]
    BelowToken(Duration),
    #[error("a session cannot rest for longer than it lasts: at most {}", .0)]
    IdleAboveAbsolute(Duration),
    #[error("must be at most 3650 days")]
    TooLong,
}

impl SessionLifetimes {
    /// How long a session lasts without a refresh where nothing else is said, in days.
    const IDLE: Duration = Duration::days(7);
    /// How long a session lasts at most where nothing else is said (NIST SP 800-63B-4, section 2.1.3).
    const ABSOLUTE: Duration = Duration::days(30);

    /// Both in whole seconds. What is not given is 7 days without a refresh and 30 days at most, or as long as a token
    /// is good for where that is longer.
    ///
    /// # Errors
    /// [`SessionLifetimesError`]
    pub fn new(
        idle: Option<Duration>,
        absolute: Option<Duration>,
        token: TokenLifetime,
    ) -> Result<Self, SessionLifetimesError> {
        let token = Duration::seconds(token.seconds());
        let absolute = absolute.unwrap_or(Self::ABSOLUTE.max(idle.unwrap_or(token)).max(token));
        let idle = idle.unwrap_or(Self::IDLE.max(token).min(absolute));
        if absolute > Duration::days(3650) {
            return Err(SessionLifetimesError::TooLong);
        }
        if idle < token || absolute < token {
            return Err(SessionLifetimesError::BelowToken(token));
        }
        if idle > absolute {
            return Err(SessionLifetimesError::IdleAboveAbsolute(absolute));
        }
        Ok(Self { idle, absolute })
    }

    /// When a session that is opened `now` is over.
    #[must_use]
    pub fn end(&self, now: OffsetDateTime) -> OffsetDateTime {
        now + self.absolute
    }

    /// Until when a session that is opened or refreshed `now`, and is over at `end`, can be refreshed.
    #[must_use]
    pub fn expiry(&self, now: OffsetDateTime, end: OffsetDateTime) -> OffsetDateTime {
        (now + self.idle).min(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetimes(idle: Option<i64>, absolute: Option<i64>, token: i64) -> Result<(i64, i64), SessionLifetimesError> {
        let hours = |hours: Option<i64>| hours.map(Duration::hours);
        let token = TokenLifetime::new(Duration::hours(token)).unwrap();
        SessionLifetimes::new(hours(idle), hours(absolute), token)
            .map(|both| (both.idle.whole_hours(), both.absolute.whole_hours()))
    }

    #[test]
    fn session_lifetimes_cover_token_and_idle_lifetime() {
        assert_eq!(lifetimes(None, None, 1), Ok((7 * 24, 30 * 24)));
        assert_eq!(lifetimes(None, Some(12), 1), Ok((12, 12)));
        assert_eq!(lifetimes(Some(1000), None, 1), Ok((1000, 1000)));
        assert_eq!(lifetimes(None, None, 1000), Ok((1000, 1000)));
        assert_eq!(lifetimes(Some(1), None, 2), Err(SessionLifetimesError::BelowToken(Duration::hours(2))));
        assert_eq!(lifetimes(None, Some(1), 2), Err(SessionLifetimesError::BelowToken(Duration::hours(2))));
        assert_eq!(lifetimes(Some(3), Some(2), 1), Err(SessionLifetimesError::IdleAboveAbsolute(Duration::hours(2))));
        assert_eq!(lifetimes(None, Some(3651 * 24), 1), Err(SessionLifetimesError::TooLong));
    }
}
