//! Withdrawals of login attempts, repeated when the store fails.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::StoreError;
use crate::user::{Account, CredentialStore};

/// Withdraws attempts whose password was not verified. Those that the store cannot withdraw are kept in memory until the next
/// [`Withdrawals::repeat`].
pub struct Withdrawals {
    credentials: Arc<dyn CredentialStore>,
    /// Account and count.
    failed: Mutex<VecDeque<(Account, u32)>>,
}

impl Withdrawals {
    /// Maximum number of withdrawals in memory. Further attempts remain counted until the next successful login of the account,
    /// and so do those whose admission was committed without a response from the store.
    const MAX_FAILED: usize = 10_000;

    pub fn new(credentials: Arc<dyn CredentialStore>) -> Self {
        Self { credentials, failed: Mutex::default() }
    }

    /// Withdraws an attempt that was admitted with this count.
    pub(super) async fn withdraw(&self, account: Account, counted: u32) {
        if self.credentials.withdraw_login(account, counted).await.is_err() {
            let mut failed = self.failed();
            if failed.len() < Self::MAX_FAILED {
                failed.push_back((account, counted));
            }
        }
    }

    /// Repeats the withdrawals that failed, and keeps those that fail again.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn repeat(&self) -> Result<(), StoreError> {
        let mut failed = mem::take(&mut *self.failed());
        while let Some((account, counted)) = failed.front().copied() {
            if let Err(error) = self.credentials.withdraw_login(account, counted).await {
                let mut later = self.failed();
                failed.append(&mut later);
                failed.truncate(Self::MAX_FAILED);
                *later = failed;
                return Err(error);
            }
            failed.pop_front();
        }
        Ok(())
    }

    fn failed(&self) -> MutexGuard<'_, VecDeque<(Account, u32)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use mockall::Sequence;
    use mockall::predicate::eq;

    use super::*;
    use crate::UserId;
    use crate::user::MockCredentialStore;

    /// REQ 16.
    #[tokio::test]
    async fn failed_withdrawals_are_repeated_in_order() {
        let account = |id| Account::User(UserId::try_from(id).unwrap());
        let mut store = MockCredentialStore::new();
        let mut order = Sequence::new();
        for (id, counted, is_away) in
            [(7, 2, true), (7, 1, true), (8, 5, false), (7, 2, false), (7, 1, true), (7, 1, false)]
        {
            let withdrawal = store.expect_withdraw_login().with(eq(account(id)), eq(counted)).times(1);
            withdrawal
                .in_sequence(&mut order)
                .returning(move |_, _| if is_away { Err(StoreError::unavailable("away")) } else { Ok(()) });
        }
        let withdrawals = Withdrawals::new(Arc::new(store));
        for (id, counted) in [(7, 2), (7, 1), (8, 5)] {
            withdrawals.withdraw(account(id), counted).await;
        }
        assert!(withdrawals.repeat().await.is_err());
        assert!(withdrawals.repeat().await.is_ok());
        assert!(withdrawals.repeat().await.is_ok());
    }

    /// REQ 16.
    #[tokio::test]
    async fn failed_withdrawals_are_bounded() {
        let mut store = MockCredentialStore::new();
        store.expect_withdraw_login().returning(|_, _| Err(StoreError::unavailable("away")));
        let withdrawals = Withdrawals::new(Arc::new(store));
        for _ in 0..=Withdrawals::MAX_FAILED {
            withdrawals.withdraw(Account::User(UserId::try_from(7).unwrap()), 1).await;
        }
        assert_eq!(withdrawals.failed().len(), Withdrawals::MAX_FAILED);
    }
}
