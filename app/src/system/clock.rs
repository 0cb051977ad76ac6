//! The system's clocks, and a clock that starts at a chosen time.

use std::sync::LazyLock;
use std::time::Instant;

use domain::{Clock, Moment, MonotonicClock};
use time::{Duration, OffsetDateTime};

/// The system clock, truncated to whole microseconds.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl MonotonicClock for SystemClock {
    fn moment(&self) -> Moment {
        // Elapsed time since the first call. A process does not run for the centuries that the type holds.
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        Moment::after_start(Duration::try_from(START.elapsed()).unwrap_or(Duration::MAX))
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that provides the time")]
    fn now(&self) -> OffsetDateTime {
        whole_microsecond(OffsetDateTime::now_utc())
    }
}

/// A clock that advances from a chosen time at the speed of the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct StartedClock {
    start: OffsetDateTime,
    since: Instant,
}

impl StartedClock {
    /// Starts a clock that reads `start` now.
    #[must_use]
    pub fn at(start: OffsetDateTime) -> Self {
        Self { start, since: Instant::now() }
    }
}

impl MonotonicClock for StartedClock {
    fn moment(&self) -> Moment {
        SystemClock.moment()
    }
}

impl Clock for StartedClock {
    fn now(&self) -> OffsetDateTime {
        whole_microsecond(self.start + self.since.elapsed())
    }
}

fn whole_microsecond(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn time_is_truncated_to_microseconds() {
        assert_eq!(SystemClock.now().nanosecond() % 1000, 0);
        assert_eq!(StartedClock::at(SystemClock.now()).now().nanosecond() % 1000, 0);
    }

    #[test]
    fn started_clock_advances_from_its_start() {
        let start = datetime!(2030-01-01 0:00 UTC);
        let clock = StartedClock::at(start);
        let (first, second) = (clock.now(), clock.now());
        assert!(start <= first && first <= second && second < start + Duration::HOUR);
    }
}
