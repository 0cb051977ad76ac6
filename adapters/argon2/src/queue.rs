//! A bounded queue of work that blocks its thread.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use domain::user::HashError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many passwords are hashed at once, and how many more may wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Each takes a core and 19 MiB.
    pub running: NonZeroUsize,
    /// Each holds its request open until its turn.
    pub waiting: usize,
}

impl Default for Limits {
    /// All cores but one, so that requests without a password are served meanwhile; 64 wait.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let running = NonZeroUsize::new(cores.saturating_sub(1)).unwrap_or(NonZeroUsize::MIN);
        Self { running, waiting: 64 }
    }
}

/// Runs work on threads that may block, no more at once than the limits say, first come, first served.
pub(crate) struct Queue {
    /// One for each piece of work that runs or waits.
    places: Arc<Semaphore>,
    /// One for each that runs.
    turns: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        let running = limits.running.get().min(Semaphore::MAX_PERMITS);
        let places = running.saturating_add(limits.waiting).min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places)), turns: Arc::new(Semaphore::new(running)) }
    }

    /// Runs `work` when its turn comes. A caller that gives up before gives its place back, and `work` never
    /// runs; work that has begun keeps its place until it ends, whether anybody waits for it or not.
    ///
    /// # Errors
    /// [`HashError::Busy`] at once where no place is free; [`HashError::Failed`] where `work` panics or the
    /// runtime shuts down.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(&error))?;
        // Dropped with the caller, a set aborts what has not begun; a bare task would run all the same.
        let mut task = JoinSet::new();
        task.spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        match task.join_next().await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => Err(failed(&error)),
            None => Err(HashError::Failed("the work vanished".to_owned())),
        }
    }
}

fn failed(error: &impl ToString) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
