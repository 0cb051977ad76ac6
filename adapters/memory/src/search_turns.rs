//! Turns of searches by user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::UserId;
use domain::quota::SearchTurns;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Turns of one process. Contains the users with searches in progress.
#[derive(Clone, Default)]
pub struct SearchTurnsMemory {
    users: Arc<SyncMutex<HashMap<UserId, Arc<Mutex<()>>>>>,
}

/// A turn that is taken or awaited, until it is dropped.
struct Turn {
    all: SearchTurnsMemory,
    user: UserId,
    searches: Arc<Mutex<()>>,
    taken: Option<OwnedMutexGuard<()>>,
}

impl SearchTurnsMemory {
    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Mutex<()>>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SearchTurns for SearchTurnsMemory {
    async fn turn(&self, user: UserId) -> Box<dyn Send> {
        let searches = Arc::clone(self.users().entry(user).or_default());
        // Removes the user from the map even if this future is dropped while it waits.
        let mut turn = Turn { all: self.clone(), user, searches, taken: None };
        turn.taken = Some(Arc::clone(&turn.searches).lock_owned().await);
        Box::new(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.taken.take();
        let mut users = self.all.users();
        // The map and this turn.
        if Arc::strong_count(&self.searches) <= 2 {
            users.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn searches_of_a_user_run_one_after_another() {
        let turns = SearchTurnsMemory::default();
        let [asha, ravi] = [1, 2].map(|id| UserId::try_from(id).unwrap());
        let first = turns.turn(asha).await;
        let mut second = turns.turn(asha);
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.turn(asha).now_or_never().is_none(), "cancelled while it waits");
        drop(turns.turn(ravi).await);
        drop(first);
        drop(second.await);
        assert!(turns.users().is_empty());
    }
}
