//! A bounded queue for blocking work.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use domain::user::HashError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Maximum numbers of running and waiting hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Hashes in progress. Each uses a core and 19 MiB.
    pub running: NonZeroUsize,
    /// Waiting hashes. Each keeps its request open.
    pub waiting: usize,
}

impl Default for Limits {
    /// All cores but one, which remains for requests without a password; 64 waiting hashes.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let running = NonZeroUsize::new(cores.saturating_sub(1)).unwrap_or(NonZeroUsize::MIN);
        Self { running, waiting: 64 }
    }
}

/// Runs blocking work on the blocking threads of tokio within limits, in FIFO order.
pub(crate) struct Queue {
    /// One permit for each running or waiting call.
    places: Arc<Semaphore>,
    /// One permit for each running call.
    running: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        let running = limits.running.get().min(Semaphore::MAX_PERMITS);
        let places = running.saturating_add(limits.waiting).min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places)), running: Arc::new(Semaphore::new(running)) }
    }

    /// Runs `work` when a permit is free. If the future is dropped earlier, its place is freed and `work` never runs. Once
    /// started, `work` keeps its place until it ends.
    ///
    /// # Errors
    /// [`HashError::Busy`] immediately if the queue is full; [`HashError::Failed`] if `work` panics or the runtime shuts
    /// down.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|error| failed(&error))?;
        // A dropped `JoinSet` aborts work that has not started; a detached task would still run.
        let mut task = JoinSet::new();
        task.spawn_blocking(move || {
            let _held = (place, permit);
            work()
        });
        match task.join_next().await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => Err(failed(&error)),
            None => Err(HashError::Failed("the blocking task returned no result".to_owned())),
        }
    }
}

fn failed(error: &impl ToString) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
