//! A bounded and fair queue for blocking work.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use domain::user::{HashError, Share};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::waiting::Waiting;

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

/// Runs blocking work on the blocking threads of tokio within limits, in the order of [`Waiting`].
pub(crate) struct Queue {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: Waiting<oneshot::Sender<Permit>>,
}

/// The permission to run, passed on to the next waiting call when it is dropped.
struct Permit {
    state: Arc<Mutex<State>>,
    is_held: bool,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: Arc::default() }
    }

    /// Runs `work` when a place is free. If the future is dropped earlier, its place is freed and `work` never runs. Once
    /// started, `work` keeps its place until it ends.
    ///
    /// # Errors
    /// [`HashError::Busy`] if the queue is full, immediately or when a call of a smaller share takes the place;
    /// [`HashError::Failed`] if `work` panics or the runtime shuts down.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        share: Share,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let permit = self.enter(share)?.await.map_err(|_| HashError::Busy)?;
        // A dropped `JoinSet` aborts work that has not started; a detached task would still run.
        let mut task = JoinSet::new();
        task.spawn_blocking(move || {
            let _held = permit;
            work()
        });
        match task.join_next().await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => Err(HashError::Failed(error.to_string())),
            None => Err(HashError::Failed("the blocking task returned no result".to_owned())),
        }
    }

    /// Takes a place, which receives a permit or, if another call takes its place, is closed.
    fn enter(&self, share: Share) -> Result<oneshot::Receiver<Permit>, HashError> {
        let (sender, receiver) = oneshot::channel();
        let mut state = lock(&self.state);
        if state.running < self.limits.running.get() {
            state.running += 1;
            drop(state);
            let _ = sender.send(Permit { state: Arc::clone(&self.state), is_held: true });
            return Ok(receiver);
        }
        if state.waiting.len() >= self.limits.waiting {
            state.waiting.retain(|waiting| !waiting.is_closed());
        }
        if state.waiting.len() >= self.limits.waiting && !state.waiting.make_room_for(share) {
            return Err(HashError::Busy);
        }
        state.waiting.push(share, sender);
        Ok(receiver)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_held {
            return;
        }
        let mut state = lock(&self.state);
        while let Some(next) = state.waiting.pop() {
            match next.send(Self { state: Arc::clone(&self.state), is_held: true }) {
                Ok(()) => return,
                // The call was cancelled.
                Err(mut permit) => permit.is_held = false,
            }
        }
        state.running -= 1;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
