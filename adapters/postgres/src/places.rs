//! Limits on concurrent work, so that look-ups always find a free connection.

use domain::StoreError;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bounds the number of running and waiting pieces of work of one kind.
pub(crate) struct Places {
    admitted: Semaphore,
    running: Semaphore,
    /// Message for work that is rejected because too much is waiting.
    full: &'static str,
}

/// A place in [`Places`], released when it is dropped.
pub(crate) struct Place<'p> {
    _running: SemaphorePermit<'p>,
    _admitted: SemaphorePermit<'p>,
}

impl Places {
    pub const fn new(running: usize, waiting: usize, full: &'static str) -> Self {
        Self { admitted: Semaphore::const_new(running + waiting), running: Semaphore::const_new(running), full }
    }

    /// Waits for a free place. Fails immediately if the queue is full.
    pub async fn enter(&self) -> Result<Place<'_>, StoreError> {
        let admitted = self.admitted.try_acquire().map_err(|_| StoreError::unavailable(self.full))?;
        let running = self.running.acquire().await.map_err(StoreError::unavailable)?;
        Ok(Place { _running: running, _admitted: admitted })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn full_queue_rejects_until_waiting_work_is_cancelled() {
        let places = Places::new(1, 2, "full");
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(running)) = pin!(places.enter()).poll(&mut context) else { panic!("a free place") };
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(places.enter())).collect();
        for place in &mut waiting {
            assert!(place.as_mut().poll(&mut context).is_pending());
        }
        let rejected = pin!(places.enter()).poll(&mut context);
        assert!(matches!(rejected, Poll::Ready(Err(StoreError::Unavailable(_)))));
        waiting.clear();
        drop(running);
        assert!(matches!(pin!(places.enter()).poll(&mut context), Poll::Ready(Ok(_))));
    }
}
