//! A clock that only tests advance.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Clock, Moment, MonotonicClock};
use time::{Duration, OffsetDateTime};

/// A clock that only advances when a test calls [`TestClock::advance`].
#[derive(Debug)]
pub struct TestClock(Mutex<(OffsetDateTime, Duration)>);

impl TestClock {
    /// A clock at this time, which MUST be UTC in whole microseconds.
    pub const fn at(time: OffsetDateTime) -> Self {
        Self(Mutex::new((time, Duration::ZERO)))
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        *state = (state.0 + by, state.1 + by);
    }

    /// Sets the wall clock forward or, with a negative step, back. No time elapses.
    pub fn step(&self, by: Duration) {
        self.state().0 += by;
    }

    fn state(&self) -> MutexGuard<'_, (OffsetDateTime, Duration)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        self.state().0
    }
}

impl MonotonicClock for TestClock {
    fn moment(&self) -> Moment {
        Moment::after_start(self.state().1)
    }
}
