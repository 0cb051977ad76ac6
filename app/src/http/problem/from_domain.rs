//! Which problem each of the domain's errors is; those of one resource stand beside its operations. No match here has a `_`
//! arm: a new error of the domain does not compile until it has its place.

use domain::access::Forbidden;
use domain::login::{LogInError, OwnPasswordError};
use domain::record::{RecordError, Resource};
use domain::session::{AuthenticationError, GrantError, RefreshError, SessionError};
use domain::user::{AccountError, Attempts, HashError, Throttled};
use domain::{SessionKind, StoreError, UserKind};
use poem::http::{HeaderValue, header};
use time::Duration;

use super::{FieldError, Problem, ProblemType};

/// The challenge to a token that is shown and not good (RFC 6750, section 3.1).
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"invalid_token\"");

impl Problem {
    /// The caller's quota of requests is used up.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(ProblemType::TooManyRequests).with_header(header::RETRY_AFTER, whole_seconds(retry_after))
    }
}

impl From<Throttled> for Problem {
    fn from(throttled: Throttled) -> Self {
        let (problem, wait) = match throttled {
            Throttled::Early { retry_after } => (ProblemType::TooManyAttempts, retry_after),
            // Nothing but an administrator helps: the longest wait says when to look again.
            Throttled::Locked => (ProblemType::AccountLocked, Attempts::LONGEST_WAIT),
        };
        Self::new(problem).with_header(header::RETRY_AFTER, whole_seconds(wait))
    }
}

/// Seconds for `Retry-After` (RFC 9110, section 10.2.3): rounded up, so that whoever waits that long is not early.
fn whole_seconds(wait: Duration) -> HeaderValue {
    let begun = i64::from(wait.subsec_nanoseconds() > 0);
    HeaderValue::from(wait.whole_seconds().saturating_add(begun).max(1))
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
            // Every caller over HTTP has one.
            Forbidden::NoSession => return Self::new(ProblemType::Internal).caused_by(error),
        };
        problem.with_header(header::WWW_AUTHENTICATE, challenge)
    }
}
