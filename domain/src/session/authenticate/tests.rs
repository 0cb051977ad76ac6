use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::access::{Role, StudentsWrite, UsersWrite};
use crate::audit::MockAuditLog;
use crate::session::MockSessionLookup;
use crate::token::{MockTokens, TokenId};
use crate::user::Status;
use crate::{MockClock, SessionId, UserId, Version};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const USER: i64 = 7;

/// Target and detail of an event.
type Recorded = (Option<String>, Option<String>);

/// Authenticates the token `valid`, of user 7 and session 3, or one with an error, while the session belongs to `owner`. Returns the
/// outcome and the target and detail of the recorded event.
async fn authenticate(
    verified: Result<(), TokenError>,
    owner: Option<i64>,
) -> (Result<Authenticated, AuthenticationError>, Vec<Recorded>) {
    let (user_id, session_id) = (UserId::try_from(USER).unwrap(), SessionId::try_from(3).unwrap());
    let mut tokens = MockTokens::new();
    tokens.expect_verify().returning(move |token, at| {
        assert_eq!((token, at), ("valid", NOW));
        let token_id = TokenId::from_token("t".into());
        verified.map(|()| Claims { user_id, session_id, token_id, issued_at: NOW, expires_at: NOW })
    });
    let mut session_lookup = MockSessionLookup::new();
    session_lookup.expect_active_user().times(usize::from(verified.is_ok())).returning(move |requested| {
        assert_eq!(requested, session_id);
        let user = owner.map(|id| Record {
            id: UserId::try_from(id).unwrap(),
            fields: User {
                username: "asha".parse().unwrap(),
                role: Role::Registrar,
                status: Status::Active,
                password_change_due: false,
            },
            version: Version::FIRST,
            created_at: NOW,
            updated_at: NOW,
        });
        Ok(user.map(Arc::new))
    });
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| NOW);
    let (to, recorded) = std::sync::mpsc::channel();
    let mut audit = MockAuditLog::new();
    audit.expect_append().returning(move |events| {
        for event in events {
            assert_eq!((event.by.id, event.action), (ActorId::Anonymous, Action::TOKEN_DENIED));
            to.send((event.target.map(|target| target.to_string()), event.detail)).unwrap();
        }
        Ok(())
    });
    let denied_access = Arc::new(DeniedAccessLog::new(Arc::new(audit)));
    let authenticate = Authenticate {
        tokens: Arc::new(tokens),
        session_lookup: Arc::new(session_lookup),
        denied_access: denied_access.clone(),
        clock: Arc::new(clock),
    };
    let outcome = authenticate.active_user("valid", Origin::default()).await;
    denied_access.flush().await.unwrap();
    (outcome, recorded.try_iter().collect())
}

#[tokio::test]
async fn authenticated_user_has_currently_stored_role() {
    let (caller, recorded) = authenticate(Ok(()), Some(USER)).await;
    let caller = caller.unwrap();
    assert!(caller.principal.grant::<StudentsWrite>().is_ok());
    assert!(caller.principal.grant::<UsersWrite>().is_err());
    assert_eq!(recorded, []);
}

/// REQ 18, REQ 22.
#[tokio::test]
async fn token_of_ended_session_or_other_user_is_rejected_and_recorded() {
    for owner in [None, Some(USER + 1)] {
        let (outcome, recorded) = authenticate(Ok(()), owner).await;
        assert!(matches!(outcome, Err(AuthenticationError::SessionEnded)));
        let ended = AuthenticationError::SessionEnded.to_string();
        assert_eq!(recorded, [(Some("session:3".to_owned()), Some(ended))]);
    }
}

/// REQ 22.
#[tokio::test]
async fn invalid_token_is_recorded_without_session_lookup() {
    use TokenError as E;
    for error in [E::Malformed, E::Signature, E::UnknownKey, E::KeyRevoked, E::Issuer, E::Audience, E::NotYetValid] {
        let (outcome, recorded) = authenticate(Err(error), None).await;
        assert!(matches!(outcome, Err(AuthenticationError::Token(reason)) if reason == error));
        assert_eq!(recorded, [(None, Some(error.to_string()))]);
    }
}

#[tokio::test]
async fn expired_token_is_rejected_and_not_recorded() {
    for error in [TokenError::Expired, TokenError::KeyExpired] {
        let (outcome, recorded) = authenticate(Err(error), None).await;
        assert!(matches!(outcome, Err(AuthenticationError::Token(reason)) if reason == error));
        assert_eq!(recorded, []);
    }
}
