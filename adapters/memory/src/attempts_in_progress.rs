//! Login attempts in progress, by account.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::login::AttemptInProgress;
use domain::user::{Account, Attempts};
use domain::{InUse, Used};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Maximum time that an attempt or login waits for others.
pub const MAX_WAIT: Duration = Duration::from_secs(5);
/// Maximum number of attempts of an account in progress.
const PLACES: usize = Attempts::FREE_FAILURES as usize;

/// The accounts with attempts in progress.
#[derive(Clone, Default)]
pub struct AttemptsInProgress {
    accounts: InUse<Account, State>,
}

/// State of one account.
struct State {
    places: Arc<Semaphore>,
    /// Held while an attempt is being admitted or withdrawn.
    admission: Arc<AsyncMutex<()>>,
    /// Counts of the admitted attempts, ascending.
    admitted: Mutex<Vec<u32>>,
    /// Notified when an admitted attempt ends.
    ended: Arc<Notify>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            admission: Arc::default(),
            admitted: Mutex::default(),
            ended: Arc::default(),
        }
    }
}

impl State {
    fn admitted(&self) -> MutexGuard<'_, Vec<u32>> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt, until it is dropped.
struct Attempt {
    /// `None` only while it is dropped.
    place: Option<OwnedSemaphorePermit>,
    admission: Option<OwnedMutexGuard<()>>,
    /// Completes when another attempt ends after the admission has begun.
    another_ended: Pin<Box<OwnedNotified>>,
    is_admitted: bool,
    deadline: Instant,
    account: Used<Account, State>,
}

impl AttemptsInProgress {
    pub async fn begin(&self, account: Account) -> Option<Box<dyn AttemptInProgress>> {
        let account = self.accounts.get(account);
        let deadline = Instant::now() + MAX_WAIT;
        let place = timeout_at(deadline, Arc::clone(&account.places).acquire_owned()).await.ok()?.ok()?;
        Some(Box::new(Attempt {
            place: Some(place),
            admission: None,
            another_ended: Box::pin(Arc::clone(&account.ended).notified_owned()),
            is_admitted: false,
            deadline,
            account,
        }))
    }
}

#[async_trait]
impl AttemptInProgress for Attempt {
    async fn admitting(&mut self) {
        self.another_ended = Box::pin(Arc::clone(&self.account.ended).notified_owned());
        self.admission = Some(Arc::clone(&self.account.admission).lock_owned().await);
    }

    fn admitted(&mut self, counted: u32) {
        self.is_admitted = true;
        let mut admitted = self.account.admitted();
        let position = admitted.partition_point(|other| *other < counted);
        admitted.insert(position, counted);
        self.admission = None;
    }

    async fn throttled(&mut self) -> bool {
        self.admission = None;
        // Without another attempt, the future is still polled once: one may have ended in the meantime.
        let deadline = if self.account.admitted().is_empty() { Instant::now() } else { self.deadline };
        timeout_at(deadline, self.another_ended.as_mut()).await.is_ok()
    }

    async fn withdrawing(&mut self) -> u32 {
        self.admitting().await;
        let mut admitted = self.account.admitted();
        let highest = admitted.pop().unwrap_or_default();
        // This attempt ends when it is dropped.
        admitted.insert(0, 0);
        highest
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.place.take();
        if self.is_admitted {
            // The others in progress keep the higher counts, which are withdrawn first.
            self.account.admitted().remove(0);
            self.account.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::user::UsernameDigest;
    use futures_util::FutureExt;
    use tokio::task::yield_now;

    use super::*;

    const ASHA: Account = Account::Unknown(UsernameDigest::new([1; 32]));

    /// REQ 16.
    #[tokio::test]
    async fn sixth_attempt_waits_for_the_end_of_another() {
        let attempts = AttemptsInProgress::default();
        let mut running = Vec::new();
        for _ in 0..PLACES {
            running.push(attempts.begin(ASHA).await.unwrap());
        }
        assert!(attempts.begin(Account::Unknown(UsernameDigest::new([2; 32]))).await.is_some(), "another account");
        let sixth = tokio::spawn({
            let attempts = attempts.clone();
            async move { attempts.begin(ASHA).await.is_some() }
        });
        yield_now().await;
        assert!(!sixth.is_finished());
        running.pop();
        assert!(sixth.await.unwrap());
        running.clear();
        assert!(attempts.accounts.is_empty());
    }

    /// REQ 16.
    #[tokio::test]
    async fn throttled_attempt_waits_for_admitted_ones_only() {
        let attempts = AttemptsInProgress::default();
        let (mut attempt, mut other) = (attempts.begin(ASHA).await.unwrap(), attempts.begin(ASHA).await.unwrap());
        attempt.admitting().await;
        assert!(!attempt.throttled().await);
        other.admitting().await;
        let waiting = tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for _ in 0..2 {
                attempt.admitting().await;
                outcomes.push(attempt.throttled().await);
            }
            outcomes
        });
        yield_now().await;
        other.admitted(1);
        yield_now().await;
        assert!(!waiting.is_finished());
        drop(other);
        assert_eq!(waiting.await.unwrap(), [true, false]);
    }

    /// REQ 16.
    #[tokio::test]
    async fn attempt_that_ended_during_the_admission_counts() {
        let attempts = AttemptsInProgress::default();
        let (mut attempt, mut other) = (attempts.begin(ASHA).await.unwrap(), attempts.begin(ASHA).await.unwrap());
        other.admitting().await;
        other.admitted(1);
        attempt.admitting().await;
        drop(other);
        assert!(attempt.throttled().await);
    }

    /// REQ 16.
    #[tokio::test]
    async fn withdrawn_attempts_give_back_the_highest_counts() {
        let attempts = AttemptsInProgress::default();
        let mut running = Vec::new();
        for counted in 1..=4 {
            let mut attempt = attempts.begin(ASHA).await.unwrap();
            attempt.admitting().await;
            attempt.admitted(counted);
            running.push(attempt);
        }
        let mut withdrawn = Vec::new();
        for position in [0, 2] {
            let mut attempt = running.remove(position);
            withdrawn.push(attempt.withdrawing().await);
            assert!(running[0].withdrawing().now_or_never().is_none(), "one after another");
        }
        drop(running.remove(0));
        withdrawn.push(running[0].withdrawing().await);
        assert_eq!(withdrawn, [4, 3, 2], "the failed attempt keeps the lowest one");
        running.clear();
        assert!(attempts.accounts.is_empty());
    }
}
