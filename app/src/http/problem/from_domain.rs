//! Which problem each of the domain's errors is. No match here has a `_` arm: an error that the domain gets
//! anew does not compile until it has its place.

use domain::StoreError;
use domain::session::{RefreshError, SessionError};
use domain::student::{FindError, InsertError, RemoveError, ReplaceError};
use domain::token::{AuthenticationError, GrantError};
use domain::user::{AccountError, Attempts, Forbidden, HashError, LogInError, OwnPasswordError};
use poem::http::{HeaderValue, header};
use time::Duration;

use super::{Fault, Kind, Problem};

/// The challenge to a token that is shown and not good (RFC 6750, section 3.1).
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"invalid_token\"");

impl Problem {
    /// The caller's quota of requests is used up.
    pub fn too_many_requests(retry_in: Duration) -> Self {
        Self::new(Kind::TooManyRequests).with_header(header::RETRY_AFTER, whole_seconds(retry_in))
    }

    /// Too many wrong passwords, or too many failed logins from one address.
    fn too_many_attempts(retry_in: Duration) -> Self {
        Self::new(Kind::TooManyAttempts).with_header(header::RETRY_AFTER, whole_seconds(retry_in))
    }

    /// Nothing but an administrator helps: the longest wait there is says when to look again.
    fn account_locked() -> Self {
        Self::new(Kind::AccountLocked).with_header(header::RETRY_AFTER, whole_seconds(Attempts::LONGEST_WAIT))
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
            StoreError::Unavailable(_) => Self::new(Kind::Unavailable).caused_by(error),
            StoreError::Failed(_) => Self::new(Kind::Internal).caused_by(error),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::new(Kind::Busy),
            HashError::Failed(_) => Self::new(Kind::Internal).caused_by(error),
        }
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::new(Kind::InvalidCredentials),
            LogInError::Early { retry_in } => Self::too_many_attempts(retry_in),
            LogInError::Locked => Self::account_locked(),
            LogInError::Hash(error) => error.into(),
            LogInError::Store(error) => error.into(),
            LogInError::Grant(error) => error.into(),
            LogInError::Random(error) => Self::new(Kind::Internal).caused_by(error),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::UsernameTaken => Self::new(Kind::UsernameTaken),
            AccountError::Unknown => Self::new(Kind::UnknownUser),
            AccountError::Stale => Self::new(Kind::StaleVersion),
            AccountError::LastAdministrator => Self::new(Kind::LastAdministrator),
            AccountError::Hash(error) => error.into(),
            AccountError::Store(error) => error.into(),
            AccountError::Random(error) => Self::new(Kind::Internal).caused_by(error),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid | RefreshError::Replayed => Self::new(Kind::InvalidRefreshToken)
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
            SessionError::Unknown => Self::new(Kind::UnknownSession),
            SessionError::UnknownUser => Self::new(Kind::UnknownUser),
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<OwnPasswordError> for Problem {
    fn from(error: OwnPasswordError) -> Self {
        let at_fault = |pointer: &str, rule: String| {
            Self::new(Kind::InvalidFields).with_faults(vec![Fault::at(pointer.to_owned(), rule)])
        };
        match error {
            OwnPasswordError::WrongPassword => at_fault("/current_password", error.to_string()),
            OwnPasswordError::Unchanged => at_fault("/new_password", error.to_string()),
            OwnPasswordError::Early { retry_in } => Self::too_many_attempts(retry_in),
            OwnPasswordError::Locked => Self::account_locked(),
            OwnPasswordError::SessionEnded => AuthenticationError::SessionEnded.into(),
            OwnPasswordError::Hash(error) => error.into(),
            OwnPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(_) | AuthenticationError::SessionEnded => {
                Self::new(Kind::Unauthorized).with_header(header::WWW_AUTHENTICATE, INVALID_TOKEN).caused_by(error)
            }
            AuthenticationError::Store(error) => error.into(),
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        Self::new(Kind::Internal).caused_by(error)
    }
}

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"insufficient_scope\"");
        let problem = match error {
            Forbidden::RoleTooLow { .. } => {
                Self::new(Kind::InsufficientRole).with_detail(format!("This operation {error}."))
            }
            Forbidden::PasswordChangeDue => Self::new(Kind::PasswordChangeDue),
        };
        problem.with_header(header::WWW_AUTHENTICATE, challenge)
    }
}

impl From<FindError> for Problem {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unknown => Self::new(Kind::UnknownStudent),
            FindError::Store(error) => error.into(),
        }
    }
}

impl From<InsertError> for Problem {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::RollNumberTaken => Self::new(Kind::RollNumberTaken),
            InsertError::Store(error) => error.into(),
        }
    }
}

impl From<ReplaceError> for Problem {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::Unknown => Self::new(Kind::UnknownStudent),
            ReplaceError::Stale => Self::new(Kind::StaleVersion),
            ReplaceError::RollNumberTaken => Self::new(Kind::RollNumberTaken),
            ReplaceError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveError> for Problem {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Unknown => Self::new(Kind::UnknownStudent),
            RemoveError::Stale => Self::new(Kind::StaleVersion),
            RemoveError::Store(error) => error.into(),
        }
    }
}
