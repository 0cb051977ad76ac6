//! One audit event.

use time::OffsetDateTime;

use super::Action;
use crate::{Actor, Id, Kind, Listed, Target, Who};

/// Audit events, as a kind of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct EventKind;

impl Kind for EventKind {
    const NAME: &'static str = "event";
}

/// Identifies an event.
pub type EventId = Id<EventKind>;

/// An event to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub by: Actor,
    pub action: Action,
    /// `None` if unknown, as for a login with an unknown username.
    pub target: Option<Target>,
    /// What exactly, in a few words of the service's own (at most 200 characters): never user input.
    pub detail: Option<String>,
    /// How often it happened: denied requests of a kind are gathered. At least 1.
    pub count: u32,
}

impl NewEvent {
    /// Something that was done once.
    #[must_use]
    pub fn once(by: &Actor, action: Action, target: Target) -> Self {
        Self { by: by.clone(), action, target: Some(target), detail: None, count: 1 }
    }

    /// The same, with what exactly was done.
    #[must_use]
    pub fn with_detail(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }
}

/// An event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub what: NewEvent,
}

impl Listed for Event {
    type Kind = EventKind;

    fn id(&self) -> EventId {
        self.id
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
    /// Every event is earlier than this time.
    pub before: Option<OffsetDateTime>,
}
