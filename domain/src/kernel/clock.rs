//! Clock ports.

use std::ops::{Add, Sub};

use time::{Duration, OffsetDateTime};

/// Source of the current time, for times that are stored or shown. The clock may jump.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Returns the current time. MUST be UTC in whole microseconds, the precision of every store.
    fn now(&self) -> OffsetDateTime;
}

/// Source of elapsed time, for durations that are measured in memory.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait MonotonicClock: Send + Sync {
    /// Returns the current moment. MUST NOT jump when the time of a [`Clock`] is set.
    fn moment(&self) -> Moment;
}

/// A point in time, measured from an arbitrary start: comparable with moments of the same process only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The moment at this duration after the start.
    #[must_use]
    pub const fn after_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The moment as a time, for calculations that use times. Its date has no meaning.
    #[must_use]
    pub fn as_time(self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.0
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}
