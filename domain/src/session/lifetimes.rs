//! Idle and absolute lifetime of sessions.

use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::token::TokenLifetime;

/// Maximum time of a session without a refresh (idle), and in total (absolute).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetimes {
    idle: Duration,
    absolute: Duration,
}

/// Reason why the lifetimes are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionLifetimesError {
    #[error("a session must last at least as long as its token: at least {}", .0)]
    BelowToken(Duration),
    #[error("the idle lifetime must not exceed the absolute lifetime: at most {}", .0)]
    IdleAboveAbsolute(Duration),
    #[error("must be at most 3650 days")]
    TooLong,
}

impl SessionLifetimes {
    /// Default idle lifetime.
    const IDLE: Duration = Duration::days(7);
    /// Default absolute lifetime (NIST SP 800-63B-4, section 2.1.3).
    const ABSOLUTE: Duration = Duration::days(30);

    /// Lifetimes in whole seconds. Defaults: 7 days idle and 30 days absolute, or the token lifetime if that is longer.
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

    /// Maximum time of a session without a refresh.
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// Maximum time of a session in total.
    pub const fn absolute(&self) -> Duration {
        self.absolute
    }

    /// End of a session that is opened at `now`.
    #[must_use]
    pub fn end(&self, now: OffsetDateTime) -> OffsetDateTime {
        now + self.absolute
    }

    /// Time until which a session can be refreshed if it is opened or refreshed at `now` and ends at `end`.
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
