//! Room for searches: they may take long, and leave connections to whoever asks for one row.

use std::future::Future;

use domain::StoreError;
use tokio::sync::Semaphore;

/// How many searches may wait for others to end.
const WAITING: usize = 64;

/// Bounds the searches that run, and those that wait to.
pub struct Searches {
    admitted: Semaphore,
    running: Semaphore,
}

impl Searches {
    /// Half of the connections may search at once.
    pub fn on(connections: u32) -> Self {
        let running = usize::try_from(connections / 2).unwrap_or(1).max(1);
        Self { admitted: Semaphore::new(running + WAITING), running: Semaphore::new(running) }
    }

    /// Runs a search when it is its turn. Fails at once when too many wait already.
    pub async fn run<T>(&self, search: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let _admitted =
            self.admitted.try_acquire().map_err(|_| StoreError::unavailable("too many searches wait already"))?;
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
    fn too_many_searches_are_refused_at_once_and_one_that_is_given_up_makes_room() {
        let searches = Searches::on(8);
        let mut context = Context::from_waker(Waker::noop());
        let mut admitted: Vec<_> =
            (0..4 + WAITING).map(|_| Box::pin(searches.run(pending::<Result<(), StoreError>>()))).collect();
        for search in &mut admitted {
            assert!(search.as_mut().poll(&mut context).is_pending());
        }
        let refused = pin!(searches.run(ready(Ok(())))).poll(&mut context);
        assert!(matches!(refused, Poll::Ready(Err(StoreError::Unavailable(_)))));
        admitted.clear();
        assert!(matches!(pin!(searches.run(ready(Ok(())))).poll(&mut context), Poll::Ready(Ok(()))));
    }
}
