//! Login attempts in progress, by account.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::login::AttemptInProgress;
use domain::user::{Account, Attempts};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::in_use::{InUse, Used};

/// Maximum time that an attempt waits for others.
const MAX_WAIT: Duration = Duration::from_secs(5);
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
    /// Held while an attempt is being admitted.
    admission: Arc<Mutex<()>>,
    /// Number of admitted attempts.
    admitted: AtomicUsize,
    /// Notified when an admitted attempt ends.
    ended: Arc<Notify>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            admission: Arc::default(),
            admitted: AtomicUsize::new(0),
            ended: Arc::default(),
        }
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

    fn admitted(&mut self) {
        self.is_admitted = true;
        self.account.admitted.fetch_add(1, Ordering::AcqRel);
        self.admission = None;
    }

    async fn throttled(&mut self) -> bool {
        self.admission = None;
        // Without another attempt, the future is still polled once: one may have ended in the meantime.
        let deadline = if self.account.admitted.load(Ordering::Acquire) > 0 { self.deadline } else { Instant::now() };
        timeout_at(deadline, self.another_ended.as_mut()).await.is_ok()
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.place.take();
        if self.is_admitted {
            self.account.admitted.fetch_sub(1, Ordering::AcqRel);
            self.account.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::user::UsernameDigest;
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
        other.admitted();
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
        other.admitted();
        attempt.admitting().await;
        drop(other);
        assert!(attempt.throttled().await);
    }
}
