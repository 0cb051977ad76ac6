//! Consecutive failed logins and the delay they cause (ASVS 6.3.1; NIST SP 800-63B-4, section 3.2.2).

use thiserror::Error;
use time::{Duration, OffsetDateTime};

/// Failed logins of an account since its last successful one.
///
/// An attempt is counted as failed when it is admitted, before its password is verified. A successful login clears the count.
/// The limit therefore also holds for concurrent attempts on several nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    failures: u32,
    next_at: Option<OffsetDateTime>,
}

/// Result of an admission check: the number of consecutive failures, including this attempt, or the reason of the rejection.
pub type Admission = Result<u32, Throttled>;

/// Reason why a login attempt is throttled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Throttled {
    /// The account or the client address has too many failed logins.
    #[error("the next attempt is possible in {retry_after}")]
    RetryAfter { retry_after: Duration },
    /// The account is locked until an administrator unlocks it.
    #[error("the account is locked")]
    Locked,
}

impl Attempts {
    /// Maximum number of consecutive failures before the delay starts.
    pub const FREE_FAILURES: u32 = 5;
    /// Number of consecutive failures that locks the account.
    pub const LOCKING_FAILURES: u32 = 100;
    /// Number of unknown accounts whose attempts are kept.
    pub const UNKNOWN_ACCOUNTS: u32 = 100_000;
    /// Maximum delay before the next attempt.
    pub const MAX_DELAY: Duration = Duration::seconds(300);

    /// Creates the attempts from stored values.
    #[must_use]
    pub const fn new(failures: u32, next_at: Option<OffsetDateTime>) -> Self {
        Self { failures, next_at }
    }

    /// Number of consecutive failures, including attempts in progress.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Earliest time of the next attempt; `None` if there is no delay.
    #[must_use]
    pub const fn next_at(&self) -> Option<OffsetDateTime> {
        self.next_at
    }

    /// Admits an attempt at `now`, or throttles it. Returns the attempts to store, if they change: an admitted attempt is
    /// counted, and a delay that is longer than the schedule, because the clock was set back, is shortened to it.
    pub fn admit(&self, now: OffsetDateTime) -> (Admission, Option<Self>) {
        if self.is_locked() {
            return (Err(Throttled::Locked), None);
        }
        match self.next_at.map(|next_at| next_at - now).filter(|delay| delay.is_positive()) {
            None => (Ok(self.failures + 1), Some(self.with_failure(now))),
            Some(delay) => {
                let longest = Self::delay_after(self.failures);
                let shortened = Self { next_at: Some(now + longest), ..*self };
                (Err(Throttled::RetryAfter { retry_after: delay.min(longest) }), (delay > longest).then_some(shortened))
            }
        }
    }

    /// Attempts after one more admitted attempt at `now`.
    #[must_use]
    pub fn with_failure(&self, now: OffsetDateTime) -> Self {
        let failures = self.failures.saturating_add(1);
        let wait = Self::delay_after(failures);
        Self { failures, next_at: wait.is_positive().then(|| now + wait) }
    }

    /// Delay after this many consecutive failures: 0 below [`Attempts::FREE_FAILURES`], then 1, 2, 4 and up to 300 seconds.
    #[must_use]
    pub fn delay_after(failures: u32) -> Duration {
        let wait = failures
            .checked_sub(Self::FREE_FAILURES)
            .map(|doublings| Duration::seconds(2_i64.saturating_pow(doublings)));
        wait.map_or(Duration::ZERO, |wait| wait.min(Self::MAX_DELAY))
    }

    /// Attempts without an admitted one that had this count and is withdrawn, because its password was not verified. Unchanged if
    /// the count was cleared since then.
    #[must_use]
    pub const fn without(&self, counted: u32) -> Self {
        if self.failures < counted {
            return *self;
        }
        // The delay before the withdrawn attempt was over. Later attempts set the delay again.
        let next_at = if self.failures == counted { None } else { self.next_at };
        Self { failures: self.failures.saturating_sub(1), next_at }
    }

    /// Returns `true` if a throttled attempt of an unknown account renews it, because of the number of attempts of others since the
    /// last renewal.
    #[must_use]
    pub const fn is_renewed_at(age: i64) -> bool {
        age > Self::UNKNOWN_ACCOUNTS as i64 / 10
    }

    /// Returns `true` if the excess of [`Attempts::UNKNOWN_ACCOUNTS`] is to be deleted with the attempt of this number, so that
    /// the deletion costs little per attempt.
    #[must_use]
    pub const fn is_excess_checked_at(number: i64) -> bool {
        number % (Self::UNKNOWN_ACCOUNTS as i64 / 100) == 0
    }

    /// Returns `true` if the account is locked until an administrator unlocks it.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.failures >= Self::LOCKING_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn failed(times: u32) -> Attempts {
        (0..times).fold(Attempts::default(), |attempts, _| attempts.with_failure(NOW))
    }

    fn retry_after(seconds: i64) -> Admission {
        Err(Throttled::RetryAfter { retry_after: Duration::seconds(seconds) })
    }

    /// REQ 16.
    #[test]
    fn wait_doubles_after_5_failures_and_account_locks_at_100() {
        let mut now = NOW;
        let mut attempts = Attempts::default();
        let mut waits = Vec::new();
        while !attempts.is_locked() {
            if let (Err(Throttled::RetryAfter { retry_after: wait }), unchanged) = attempts.admit(now) {
                assert_eq!(unchanged, None);
                waits.push(wait.whole_seconds());
                now += wait;
            }
            let (admission, counted) = attempts.admit(now);
            attempts = counted.unwrap();
            assert_eq!(admission, Ok(attempts.failures()));
        }
        assert_eq!(attempts.failures(), 100);
        assert_eq!(waits.len(), 95);
        assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[9..].iter().all(|wait| *wait == 300));
        assert_eq!(attempts.admit(now + Duration::days(365)), (Err(Throttled::Locked), None));
    }

    #[test]
    fn withdrawn_attempt_does_not_count() {
        let five = failed(5);
        assert_eq!(five.admit(NOW), (retry_after(1), None));
        assert_eq!(five.without(5).admit(NOW).0, Ok(5));
        assert_eq!(five.without(5).failures(), 4);
    }

    #[test]
    fn withdrawn_attempt_keeps_later_attempts() {
        let six = failed(6);
        assert_eq!(six.without(5), Attempts::new(5, six.next_at()));
        let one_after_a_success = failed(1);
        assert_eq!(one_after_a_success.without(5), one_after_a_success);
    }

    /// REQ 16.
    #[test]
    fn clock_set_back_does_not_extend_the_delay() {
        let seven = failed(7);
        assert_eq!(seven.admit(NOW), (retry_after(4), None));
        let earlier = NOW - Duration::HOUR;
        let (admission, shortened) = seven.admit(earlier);
        assert_eq!(admission, retry_after(4));
        let shortened = shortened.unwrap();
        assert_eq!((shortened.failures(), shortened.next_at()), (7, Some(earlier + Duration::seconds(4))));
        assert_eq!(shortened.admit(earlier + Duration::seconds(4)).0, Ok(8));
        assert_eq!(failed(100).admit(earlier), (Err(Throttled::Locked), None));
    }
}
