//! Which problem each of the domain's errors is. No match here has a `_` arm: an error that the domain gets
//! anew does not compile until it has its place.

use domain::StoreError;
use domain::student::{FindError, InsertError, RemoveError, ReplaceError};
use domain::token::AuthenticationError;
use domain::user::{AccountError, HashError, LogInError, RoleTooLow};
use poem::http::{HeaderValue, header};

use super::{Kind, Problem};

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
            LogInError::Hash(error) => error.into(),
            LogInError::Store(error) => error.into(),
            LogInError::Sign(error) => Self::new(Kind::Internal).caused_by(error),
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

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(_) | AuthenticationError::UnknownUser | AuthenticationError::DisabledUser => {
                let challenge = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"invalid_token\"");
                Self::new(Kind::Unauthorized).with_header(header::WWW_AUTHENTICATE, challenge).caused_by(error)
            }
            AuthenticationError::Store(error) => error.into(),
        }
    }
}

impl From<RoleTooLow> for Problem {
    fn from(error: RoleTooLow) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"rollbook\", error=\"insufficient_scope\"");
        Self::new(Kind::InsufficientRole)
            .with_detail(format!("This operation {error}."))
            .with_header(header::WWW_AUTHENTICATE, challenge)
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
