//! A clock that stands still until a test moves it.

use std::sync::{Mutex, PoisonError};

use domain::Clock;
use time::{Duration, OffsetDateTime};

/// A clock that a test moves.
#[derive(Debug)]
pub struct TestClock(Mutex<OffsetDateTime>);

impl TestClock {
    /// A clock that stands at a time, which MUST be UTC in whole microseconds.
    pub const fn at(time: OffsetDateTime) -> Self {
        Self(Mutex::new(time))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
