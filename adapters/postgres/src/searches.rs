//! Limit on concurrent searches. They may take long, and must leave connections for point look-ups.

use std::future::Future;

use domain::StoreError;
use tokio::sync::Semaphore;

/// Maximum number of waiting searches.
const WAITING: usize = 64;

/// Bounds the number of running and waiting searches.
pub struct Searches {
    admitted: Semaphore,
    running: Semaphore,
}

impl Searches {
    /// Limits running searches to half of the connections, at least one.
    pub fn new(connections: u32) -> Self {
        let running = usize::try_from(connections / 2).unwrap_or(1).max(1);
        Self { admitted: Semaphore::new(running + WAITING), running: Semaphore::new(running) }
    }

    /// Waits for a free place and runs a search. Fails immediately if the queue is full.
    pub async fn run<T>(&self, search: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let _admitted =
            self.admitted.try_acquire().map_err(|_| StoreError::unavailable("too many searches are waiting"))?;
        let _running = self.running.acquire().await.map_err(StoreError::unavailable)?;
        search.await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn full_search_queue_rejects_until_a_search_is_cancelled() {
        let searches = Searches::new(8);
        let mut context = Context::from_waker(Waker::noop());
        let mut admitted: Vec<_> =
            (0..4 + WAITING).map(|_| Box::pin(searches.run(pending::<Result<(), StoreError>>()))).collect();
        for search in &mut admitted {
            assert!(search.as_mut().poll(&mut context).is_pending());
        }
        let rejected = pin!(searches.run(ready(Ok(())))).poll(&mut context);
        assert!(matches!(rejected, Poll::Ready(Err(StoreError::Unavailable(_)))));
        admitted.clear();
        assert!(matches!(pin!(searches.run(ready(Ok(())))).poll(&mut context), Poll::Ready(Ok(()))));
    }
}
