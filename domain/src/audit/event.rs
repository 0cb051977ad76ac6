//! One thing that was done.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use time::OffsetDateTime;

use super::Action;
use crate::session::SessionId;
use crate::student::StudentId;
use crate::user::UserId;
use crate::{Actor, Record, Version, Who};

crate::id::id! {
    /// Names one event, for ever.
    EventId
}

/// To whom, or what, something was done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    Student(StudentId),
    User(UserId),
    Session(SessionId),
    /// An operation, by the id that the API document gives it.
    Operation(String),
    /// A key, by its id.
    Key(String),
}

/// The text names nothing that something could be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be student:ID, user:ID, session:ID, operation:NAME or key:ID")]
pub struct TargetError;

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Student(id) => write!(f, "student:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Session(id) => write!(f, "session:{id}"),
            Self::Operation(name) => write!(f, "operation:{name}"),
            Self::Key(id) => write!(f, "key:{id}"),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let named = |name: &str| (1..=128).contains(&name.chars().count()) && !name.contains(char::is_control);
        match text.split_once(':').ok_or(TargetError)? {
            ("student", id) => id.parse().map(Self::Student).map_err(|_| TargetError),
            ("user", id) => id.parse().map(Self::User).map_err(|_| TargetError),
            ("session", id) => id.parse().map(Self::Session).map_err(|_| TargetError),
            ("operation", name) if named(name) => Ok(Self::Operation(name.to_owned())),
            ("key", id) if named(id) => Ok(Self::Key(id.to_owned())),
            _ => Err(TargetError),
        }
    }
}

/// An event to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub by: Actor,
    pub action: Action,
    /// `None` where it is nobody that is known, such as the name of a login that is no user's.
    pub target: Option<Target>,
    /// What exactly, in a few words of the service's own (at most 200 characters): never what somebody typed.
    pub detail: Option<String>,
    /// How often it happened: refusals of a kind are gathered. At least 1.
    pub count: u32,
}

impl NewEvent {
    /// Something that was done once.
    #[must_use]
    pub fn once(by: &Actor, action: Action, target: Target) -> Self {
        Self { by: by.clone(), action, target: Some(target), detail: None, count: 1 }
    }

    /// The same, with what exactly was done; nothing is no detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()).filter(|detail| !detail.is_empty()), ..self }
    }
}

/// An event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub what: NewEvent,
}

impl Record for Event {
    type Id = EventId;

    fn id(&self) -> EventId {
        self.id
    }

    /// An event never changes.
    fn version(&self) -> Version {
        Version::FIRST
    }
}

/// Which events are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub actor: Option<Who>,
    pub action: Option<Action>,
    pub target: Option<Target>,
    /// The earliest time.
    pub since: Option<OffsetDateTime>,
    /// All are before this time.
    pub until: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_say_is_no_detail() {
        let by = Actor::here(Who::Operator, OffsetDateTime::UNIX_EPOCH);
        let event = NewEvent::once(&by, Action::StudentChanged, Target::Operation("x".to_owned()));
        assert_eq!(event.clone().with_detail("name").detail.as_deref(), Some("name"));
        assert_eq!(event.with_detail("").detail, None);
    }

    #[test]
    fn a_target_has_one_spelling() {
        for text in ["student:7", "user:1", "session:12", "operation:removeUser", "key:a-b_c"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for wrong in ["", "user", "user:", "user:07", "user:x", "group:7", "operation:", "key:\n"] {
            assert_eq!(wrong.parse::<Target>(), Err(TargetError), "{wrong:?}");
        }
    }
}
