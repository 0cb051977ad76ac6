//! Failed logins in a row, and how long they keep an account closed (ASVS 6.3.1; NIST SP 800-63B-4, section 3.2.2).

use thiserror::Error;
use time::{Duration, OffsetDateTime};

/// The failed logins of one account since the last good one.
///
/// A try is counted as failed when it is admitted, before its password is looked at, and forgotten when it turns out
/// well: however many are made at once, on however many nodes, no more are admitted than the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    failures: u32,
    next_at: Option<OffsetDateTime>,
}

/// Whether a login may be tried: counted as failed, it makes so many in a row.
pub type Admission = Result<u32, Throttled>;

/// Why a login may not be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Throttled {
    /// The account, or the client's address, has failed too often.
    #[error("the next attempt is possible in {retry_after}")]
    Early { retry_after: Duration },
    /// The account has failed too often to try again before it is unlocked.
    #[error("the account is locked")]
    Locked,
}

impl Attempts {
    /// How many failures in a row cost no waiting.
    pub const FREE: u32 = 5;
    /// How many failures in a row lock the account.
    pub const MOST: u32 = 100;
    /// The longest wait for the next try.
    pub const LONGEST_WAIT: Duration = Duration::seconds(300);

    /// What a store kept.
    #[must_use]
    pub const fn new(failures: u32, next_at: Option<OffsetDateTime>) -> Self {
        Self { failures, next_at }
    }

    /// How many failed in a row, those under way included.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// When the next may be tried; `None` for at once.
    #[must_use]
    pub const fn next_at(&self) -> Option<OffsetDateTime> {
        self.next_at
    }

    /// Whether a login may be tried `now`. Counts nothing.
    ///
    /// # Errors
    /// [`Throttled`]
    pub fn admission(&self, now: OffsetDateTime) -> Admission {
        match self.next_at {
            _ if self.failures >= Self::MOST => Err(Throttled::Locked),
            Some(next_at) if now < next_at => Err(Throttled::Early { retry_after: next_at - now }),
            _ => Ok(self.failures + 1),
        }
    }

    /// Counts a try that is admitted `now`.
    #[must_use]
    pub fn counting_one(&self, now: OffsetDateTime) -> Self {
        let failures = self.failures.saturating_add(1);
        let wait = Self::wait_after(failures);
        Self { failures, next_at: wait.is_positive().then(|| now + wait) }
    }

    /// How long so many failures in a row keep the account closed: 0, then 1, 2, 4 and up to 300 seconds.
    #[must_use]
    pub fn wait_after(failures: u32) -> Duration {
        let wait = failures.checked_sub(Self::FREE).map(|doublings| Duration::seconds(2_i64.saturating_pow(doublings)));
        wait.map_or(Duration::ZERO, |wait| wait.min(Self::LONGEST_WAIT))
    }

    /// Takes back a try that was admitted and never made.
    #[must_use]
    pub const fn without_one(&self) -> Self {
        Self { failures: self.failures.saturating_sub(1), next_at: None }
    }

    /// Whether the account stays locked until an administrator unlocks it.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.failures >= Self::MOST
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// REQ 16.
    #[test]
    fn wait_doubles_after_5_failures_and_account_locks_at_100() {
        let mut now = datetime!(2026-11-23 12:00 UTC);
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        while attempts.admission(now) != Err(Throttled::Locked) {
            if let Err(Throttled::Early { retry_after: wait }) = attempts.admission(now) {
                waits.push(wait.whole_seconds());
                now += wait;
            }
            let admission = attempts.admission(now);
            attempts = attempts.counting_one(now);
            assert_eq!(admission, Ok(attempts.failures()));
        }
        assert_eq!(attempts.failures(), 100);
        assert_eq!(waits.len(), 95);
        assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[9..].iter().all(|wait| *wait == 300));
        assert_eq!(attempts.admission(now + Duration::days(365)), Err(Throttled::Locked));
    }

    #[test]
    fn a_try_that_was_never_made_is_taken_back() {
        let now = datetime!(2026-11-23 12:00 UTC);
        let five = (0..5).fold(Attempts::default(), |attempts, _| attempts.counting_one(now));
        assert_eq!(five.admission(now), Err(Throttled::Early { retry_after: Duration::SECOND }));
        assert_eq!(five.without_one().admission(now), Ok(5));
        assert_eq!(five.without_one().failures(), 4);
    }
}
