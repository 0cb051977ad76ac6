//! Audit events and their filter.

use time::OffsetDateTime;

use super::Action;
use crate::{Actor, ActorId, Filter, Id, Kind, Listed, Reach, Target};

/// Kind of audit events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventKind;

impl Kind for EventKind {
    const NAME: &'static str = "event";
}

/// Identifies an event.
pub type EventId = Id<EventKind>;

/// Event to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub by: Actor,
    pub action: Action,
    /// `None` if unknown, as for a login with an unknown username.
    pub target: Option<Target>,
    /// Description in at most 200 characters. MUST NOT contain user input.
    pub detail: Option<String>,
    /// Number of occurrences, at least 1. Repeated denied requests become one event.
    pub count: u32,
}

impl NewEvent {
    /// Event that occurred once, without detail.
    #[must_use]
    pub fn once(by: &Actor, action: Action, target: Target) -> Self {
        Self { by: by.clone(), action, target: Some(target), detail: None, count: 1 }
    }

    /// Event of an actor that occurred once, with a target and a detail only if they are known.
    #[must_use]
    pub fn denied(by: &Actor, action: Action, target: Option<Target>, detail: Option<String>) -> Self {
        Self { by: by.clone(), action, target, detail, count: 1 }
    }

    /// Sets the detail.
    #[must_use]
    pub fn with_detail(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }
}

/// An event as stored.
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

/// Matches the events that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub actor: Option<ActorId>,
    pub action: Option<Action>,
    pub target: Option<Target>,
    /// Earliest time, inclusive.
    pub since: Option<OffsetDateTime>,
    /// Latest time, exclusive.
    pub before: Option<OffsetDateTime>,
}

impl Filter for EventFilter {
    fn reach(&self) -> Reach {
        // Stores index the time, each of the others, and actor and action together.
        let Self { actor, action, target, since: _, before: _ } = self;
        let is_search = target.is_some() && (actor.is_some() || action.is_some());
        if is_search { Reach::Search } else { Reach::Page }
    }
}
