//! A clock that only tests advance.

use std::sync::{Mutex, PoisonError};

use domain::Clock;
use time::{Duration, OffsetDateTime};

/// A clock that only advances when a test calls [`TestClock::advance`].
#[derive(Debug)]
pub struct TestClock(Mutex<OffsetDateTime>);

impl TestClock {
    /// A clock at this time, which MUST be UTC in whole microseconds.
    pub const fn at(time: OffsetDateTime) -> Self {
        Self(Mutex::new(time))
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
