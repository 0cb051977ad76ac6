//! Maps errors of the domain to problems. The conflicts of a resource are mapped in the module of its operations. No match has
//! a `_` arm, so that a new error variant does not compile until it is mapped.

use domain::access::Forbidden;
use domain::login::{LogInError, OwnPasswordError};
use domain::record::{RecordError, Resource};
use domain::session::{AuthenticationError, GrantError, RefreshError, SessionError};
use domain::user::{AccountError, Attempts, HashError, Throttled};
use domain::{SessionKind, StoreError, UserKind};
use poem::http::{HeaderValue, header};
use time::Duration;

use super::{FieldError, Problem, ProblemType};

/// Challenge for an invalid token (RFC 6750, section 3.1).
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"invalid_token\"");

impl Problem {
    /// The client's request quota is exhausted.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(ProblemType::TooManyRequests).with_header(header::RETRY_AFTER, whole_seconds(retry_after))
    }
}

impl From<Throttled> for Problem {
    fn from(throttled: Throttled) -> Self {
        let (problem, wait) = match throttled {
            Throttled::RetryAfter { retry_after } => (ProblemType::TooManyAttempts, retry_after),
            // Only an administrator can unlock the account. The maximum delay limits how often clients retry until then.
            Throttled::Locked => (ProblemType::AccountLocked, Attempts::MAX_DELAY),
        };
        Self::new(problem).with_header(header::RETRY_AFTER, whole_seconds(wait))
    }
}

/// Seconds for `Retry-After` (RFC 9110, section 10.2.3), rounded up so that a retry after this delay is not early; at least 1.
fn whole_seconds(wait: Duration) -> HeaderValue {
    let partial = i64::from(wait.subsec_nanoseconds() > 0);
    HeaderValue::from(wait.whole_seconds().saturating_add(partial).max(1))
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::new(ProblemType::Unavailable).caused_by(error),
            StoreError::Failed(_) => Self::new(ProblemType::Internal).caused_by(error),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::new(ProblemType::Busy),
            HashError::Failed(_) => Self::new(ProblemType::Internal).caused_by(error),
        }
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::new(ProblemType::InvalidCredentials),
            LogInError::Throttled(error) => error.into(),
            LogInError::Hash(error) => error.into(),
            LogInError::Store(error) => error.into(),
            LogInError::Grant(error) => error.into(),
            LogInError::Random(error) => Self::new(ProblemType::Internal).caused_by(error),
        }
    }
}

impl<R: Resource> From<RecordError<R>> for Problem
where
    Self: From<R::Conflict>,
{
    fn from(error: RecordError<R>) -> Self {
        match error {
            RecordError::NotFound => Self::record_not_found::<R::Kind>(),
            RecordError::Stale => Self::new(ProblemType::StaleVersion),
            RecordError::Rejected(conflict) => conflict.into(),
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Record(error) => error.into(),
            AccountError::Hash(error) => error.into(),
            AccountError::Random(error) => Self::new(ProblemType::Internal).caused_by(error),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid | RefreshError::Replayed => Self::new(ProblemType::InvalidRefreshToken)
                .with_header(header::WWW_AUTHENTICATE, INVALID_TOKEN)
                .caused_by(error),
            RefreshError::Grant(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unknown => Self::record_not_found::<SessionKind>(),
            SessionError::UnknownUser => Self::record_not_found::<UserKind>(),
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<OwnPasswordError> for Problem {
    fn from(error: OwnPasswordError) -> Self {
        let invalid = |pointer: &str, rule: String| {
            Self::new(ProblemType::InvalidFields).with_errors(vec![FieldError::at(pointer.to_owned(), rule)])
        };
        match error {
            OwnPasswordError::WrongPassword => invalid("/current_password", error.to_string()),
            OwnPasswordError::Unchanged => invalid("/new_password", error.to_string()),
            OwnPasswordError::Throttled(error) => error.into(),
            OwnPasswordError::SessionEnded => AuthenticationError::SessionEnded.into(),
            OwnPasswordError::Hash(error) => error.into(),
            OwnPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(_) | AuthenticationError::SessionEnded => Self::new(ProblemType::Unauthorized)
                .with_header(header::WWW_AUTHENTICATE, INVALID_TOKEN)
                .caused_by(error),
            AuthenticationError::Store(error) => error.into(),
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        Self::new(ProblemType::Internal).caused_by(error)
    }
}

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"insufficient_scope\"");
        let problem = match error {
            Forbidden::RoleTooLow { .. } => {
                Self::new(ProblemType::InsufficientRole).with_detail(format!("This operation {error}."))
            }
            Forbidden::PasswordChangeDue => Self::new(ProblemType::PasswordChangeDue),
            // Every authenticated HTTP request has a session.
            Forbidden::NoSession => return Self::new(ProblemType::Internal).caused_by(error),
        };
        problem.with_header(header::WWW_AUTHENTICATE, challenge)
    }
}
