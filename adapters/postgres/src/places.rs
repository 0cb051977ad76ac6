//! Limits on concurrent work, so that look-ups always find a free connection.

use std::sync::Arc;

use domain::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds the number of running and waiting pieces of work of one kind. Cheap to clone; clones share the places.
#[derive(Clone)]
pub(crate) struct Places {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    count: usize,
    /// Message for work that is rejected because too much is waiting.
    full: &'static str,
}

/// A place in [`Places`], released when it is dropped.
pub(crate) struct Place {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl Places {
    /// Creates `count` places, at least one.
    pub fn new(count: usize, waiting: usize, full: &'static str) -> Self {
        let count = count.max(1);
        let [admitted, running] = [count + waiting, count].map(|places| Arc::new(Semaphore::new(places)));
        Self { admitted, running, count, full }
    }

    /// Number of places.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Waits for a free place. Fails immediately if the queue is full.
    pub async fn enter(&self) -> Result<Place, StoreError> {
        let full = |_| StoreError::unavailable(self.full);
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(full)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(StoreError::unavailable)?;
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
