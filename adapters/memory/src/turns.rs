//! Turns by user.

use std::sync::Arc;

use async_trait::async_trait;
use domain::quota::Turns;
use domain::{InUse, Used, UserId};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Turns of one process. Contains the users whose turn it is, and those who wait.
pub struct TurnsMemory {
    users: InUse<UserId, Arc<Mutex<()>>>,
    places: Arc<Semaphore>,
}

/// A turn, until it is dropped.
struct Turn {
    _taken: OwnedMutexGuard<()>,
    _place: Option<OwnedSemaphorePermit>,
    _user: Used<UserId, Arc<Mutex<()>>>,
}

impl TurnsMemory {
    /// Turns of at most this many users at the same time.
    #[must_use]
    pub fn of_users(limit: usize) -> Self {
        Self { users: InUse::default(), places: Arc::new(Semaphore::new(limit)) }
    }
}

#[async_trait]
impl Turns for TurnsMemory {
    async fn turn(&self, user: UserId) -> Box<dyn Send> {
        let user = self.users.get(user);
        let taken = Arc::clone(&user).lock_owned().await;
        // The semaphore is not closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        Box::new(Turn { _taken: taken, _place: place, _user: user })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn turns_of_a_user_follow_one_another() {
        let turns = TurnsMemory::of_users(2);
        let [asha, ravi] = [1, 2].map(|id| UserId::try_from(id).unwrap());
        let first = turns.turn(asha).await;
        let mut second = turns.turn(asha);
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.turn(asha).now_or_never().is_none(), "cancelled while it waits");
        drop(turns.turn(ravi).await);
        drop(first);
        drop(second.await);
        assert!(turns.users.is_empty());
    }

    #[tokio::test]
    async fn users_wait_while_it_is_the_turn_of_many_others() {
        let turns = TurnsMemory::of_users(2);
        let [asha, ravi, meera] = [1, 2, 3].map(|id| UserId::try_from(id).unwrap());
        let (first, _second) = (turns.turn(asha).await, turns.turn(ravi).await);
        let mut third = turns.turn(meera);
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        third.await;
    }
}
