//! Actors: identity, time and origin of a write.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;
use time::OffsetDateTime;

use super::UserId;

/// Identity of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorId {
    /// A user with an account.
    User(UserId),
    /// The operator at the command line.
    Operator,
    /// The service itself, for example at its first start.
    Service,
    /// An unauthenticated client.
    Anonymous,
}

/// The text is not an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be user:ID, operator, service or anonymous")]
pub struct ActorIdError;

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Service => f.write_str("service"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl FromStr for ActorId {
    type Err = ActorIdError;

    fn from_str(text: &str) -> Result<Self, ActorIdError> {
        match (text, text.strip_prefix("user:")) {
            (_, Some(id)) => id.parse().map(Self::User).map_err(|_| ActorIdError),
            ("operator", None) => Ok(Self::Operator),
            ("service", None) => Ok(Self::Service),
            ("anonymous", None) => Ok(Self::Anonymous),
            _ => Err(ActorIdError),
        }
    }
}

/// Origin of a request. Empty for an action without a network request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Request id in the log: 1 to 128 characters.
    pub request_id: Option<Arc<str>>,
    /// Client address.
    pub client: Option<IpAddr>,
}

/// Actor of a write, with its time and origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub id: ActorId,
    /// UTC, whole microseconds: the precision of every store.
    pub at: OffsetDateTime,
    pub origin: Origin,
}

impl Actor {
    /// An actor on this machine, without a request.
    #[must_use]
    pub const fn here(id: ActorId, at: OffsetDateTime) -> Self {
        Self { id, at, origin: Origin { request_id: None, client: None } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_has_one_text_form() {
        for text in ["user:7", "operator", "service", "anonymous"] {
            assert_eq!(text.parse::<ActorId>().unwrap().to_string(), text);
        }
        for wrong in ["", "user", "user:", "user:07", "root", "Operator"] {
            assert_eq!(wrong.parse::<ActorId>(), Err(ActorIdError), "{wrong:?}");
        }
    }
}
