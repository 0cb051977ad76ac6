use super::*;
use crate::access::Principal;
use crate::audit::MockAuditLog;
use crate::record::MockRecordStore;
use crate::user::{MockCredentialStore, MockPasswordHasher};
use crate::{MockClock, MockRandom};

/// REQ 21.
#[tokio::test]
async fn busy_hasher_creates_no_user() {
    let mut clock = MockClock::new();
    clock.expect_now().return_const(OffsetDateTime::UNIX_EPOCH);
    let mut passwords = MockPasswordHasher::new();
    passwords.expect_hash().once().returning(|_, _| Err(HashError::Busy));
    let mut credentials = MockCredentialStore::new();
    credentials.expect_find_credentials().once().returning(|_| Ok(None));
    let accounts = Accounts {
        // The mocks without expectations panic if they are called.
        users: Arc::new(MockRecordStore::new()),
        credentials: Arc::new(credentials),
        passwords: Arc::new(passwords),
        denied_access: Arc::new(DeniedAccessLog::new(Arc::new(MockAuditLog::new()))),
        clock: Arc::new(clock),
        random: Arc::new(MockRandom::new()),
        policy: PasswordPolicy::default(),
    };
    let by = Principal::operator().grant().unwrap();
    let asha: NewUsername = "asha".parse().unwrap();
    let password = NewPassword::parse("a long enough pass phrase", None, PasswordPolicy::default()).ok().unwrap();
    let outcome = accounts.create(&by, asha, password, Role::Viewer).await;
    assert!(matches!(outcome, Err(AccountError::Hash(HashError::Busy))), "{outcome:?}");
}
