//! A monotonic clock that only tests advance.

use std::sync::{Mutex, PoisonError};

use domain::{Moment, MonotonicClock};
use time::Duration;

#[derive(Default)]
pub struct TestClock(Mutex<Duration>);

impl TestClock {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl MonotonicClock for TestClock {
    fn moment(&self) -> Moment {
        Moment::after_start(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
