//! Attempts with a password, counted for their account.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use super::{LoginThrottle, LoginThrottling, Withdrawals};
use crate::user::{Account, Admission, Attempts, CredentialStore, HashError, Throttled};
use crate::{Actor, Clock, StoreError};

/// Counts attempts with a password, and rejects those that come too early.
#[derive(Clone)]
pub struct CountedAttempts {
    pub credentials: Arc<dyn CredentialStore>,
    pub withdrawals: Arc<Withdrawals>,
    pub throttle: Arc<dyn LoginThrottle>,
    pub throttling: LoginThrottling,
    pub clock: Arc<dyn Clock>,
}

/// Error of an attempt.
pub(super) trait AttemptError: From<Throttled> + From<HashError> + From<StoreError> {
    /// Returns `true` if the attempt failed by its password. Attempts with other errors are withdrawn.
    fn is_failure(&self) -> bool;
}

/// Result of an attempt.
pub(super) struct Attempted<T, E> {
    /// The number of consecutive failures including this one, or of the free ones if it was throttled; `None` if it ended before
    /// its admission.
    pub failures: Option<u32>,
    pub outcome: Result<T, E>,
}

impl CountedAttempts {
    /// Runs `verify` if an attempt for the account is admitted.
    ///
    /// When `cancelled` completes, the attempt ends and is withdrawn.
    pub(super) async fn attempt<T, E: AttemptError>(
        &self,
        account: Account,
        by: &Actor,
        cancelled: impl Future<Output = ()> + Send,
        verify: impl Future<Output = Result<T, E>> + Send,
    ) -> Attempted<T, E> {
        if self.throttling == LoginThrottling::Unlimited {
            return Attempted { failures: Some(0), outcome: verify.await };
        }
        let mut failures = None;
        let outcome = self.admitted(account, by, pin!(cancelled), verify, &mut failures).await;
        Attempted { failures, outcome }
    }

    /// Sets `failures` unless the attempt ends before its admission. A cancelled request gets no response, so its error has no
    /// effect.
    async fn admitted<T, E: AttemptError>(
        &self,
        account: Account,
        by: &Actor,
        mut cancelled: Pin<&mut (impl Future<Output = ()> + Send)>,
        verify: impl Future<Output = Result<T, E>> + Send,
        failures: &mut Option<u32>,
    ) -> Result<T, E> {
        let begun = unless(cancelled.as_mut(), self.throttle.begin_attempt(account)).await;
        let mut progress = begun.flatten().ok_or(HashError::Busy)?;
        // Admitted attempts count as failures until they end.
        let admission: Admission = loop {
            unless(cancelled.as_mut(), progress.admitting()).await.ok_or(HashError::Busy)?;
            // The attempt may have waited.
            let by = Actor { at: self.clock.now(), ..by.clone() };
            let admission = self.credentials.admit_login(account, &by).await?;
            if !matches!(admission, Err(Throttled::RetryAfter { .. })) {
                break admission;
            }
            if !unless(cancelled.as_mut(), progress.throttled()).await.ok_or(HashError::Busy)? {
                break admission;
            }
        };
        // A throttled account has no remaining attempts.
        *failures = Some(admission.unwrap_or(Attempts::FREE_FAILURES));
        let counted = admission?;
        progress.admitted(counted);
        let outcome = unless(cancelled, verify).await.unwrap_or_else(|| Err(HashError::Busy.into()));
        if outcome.as_ref().is_err_and(|error| !error.is_failure()) {
            *failures = Some(counted.saturating_sub(1));
            let withdrawn = progress.withdrawing().await;
            self.withdrawals.withdraw(account, withdrawn).await;
        }
        outcome
    }
}

/// Runs `work` until `cancelled` completes.
pub(super) async fn unless<T>(
    mut cancelled: Pin<&mut (impl Future<Output = ()> + Send)>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match cancelled.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}
