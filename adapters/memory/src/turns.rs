//! Turns by user.

use std::sync::Arc;

use async_trait::async_trait;
use domain::quota::Turns;
use domain::{InUse, Used, UserId};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Turns of one process. Contains the users whose turn it is, and those who wait.
#[derive(Default)]
pub struct TurnsMemory {
    users: InUse<UserId, Arc<Mutex<()>>>,
}

/// A turn, until it is dropped.
struct Turn {
    _taken: OwnedMutexGuard<()>,
    _user: Used<UserId, Arc<Mutex<()>>>,
}

#[async_trait]
impl Turns for TurnsMemory {
    async fn turn(&self, user: UserId) -> Box<dyn Send> {
        let user = self.users.get(user);
        Box::new(Turn { _taken: Arc::clone(&user).lock_owned().await, _user: user })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn turns_of_a_user_follow_one_another() {
        let turns = TurnsMemory::default();
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
}
