//! Kinds of denied requests, and the coarser kinds into which they are merged when there are too many.

use std::net::IpAddr;

use super::{Action, NewEvent};
use crate::{ActorId, SiteNetwork, Target};

/// Denied requests of the same kind become one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DeniedKind {
    actor: ActorId,
    action: Action,
    target: Option<Target>,
    /// The detail of the requests, of which each action has few.
    detail: Option<String>,
    clients: Clients,
}

/// The client addresses of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Clients {
    One(Option<IpAddr>),
    Network(SiteNetwork),
    Several,
}

/// Kinds with the same limits. Those of authenticated actors, of known targets and of other anonymous requests have separate limits,
/// so that none of them displaces another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Precision {
    /// Every request of an authenticated actor.
    Actor,
    /// Requests of an authenticated actor with several targets or addresses.
    ActorAndAction,
    /// Anonymous requests with a known target.
    Target,
    TargetAndNetwork,
    /// Anonymous requests with a known target and several addresses.
    TargetOnly,
    /// Other anonymous requests.
    Address,
    Network,
}

/// The actor or target with a limit of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Actor(ActorId),
    Target(Target),
}

impl Precision {
    /// Maximum number of kinds with this precision.
    pub const fn limit(self) -> usize {
        match self {
            Self::Actor => 8_192,
            Self::ActorAndAction => 4_096,
            Self::Target | Self::TargetAndNetwork | Self::TargetOnly => 2_048,
            Self::Address | Self::Network => 1_024,
        }
    }

    /// Maximum number of kinds with this precision and the same owner.
    pub const fn limit_of_owner(self) -> usize {
        match self {
            Self::Actor => 256,
            Self::Target | Self::TargetAndNetwork => 64,
            _ => self.limit(),
        }
    }
}

impl DeniedKind {
    pub fn of(event: &NewEvent) -> Self {
        Self {
            actor: event.by.id,
            action: event.action.clone(),
            target: event.target.clone(),
            detail: event.detail.clone(),
            clients: Clients::One(event.by.origin.client),
        }
    }

    /// `None` for the coarsest kinds, of which there are only as many as actions with their details.
    pub fn precision(&self) -> Option<Precision> {
        match (self.actor, &self.target, self.clients) {
            (ActorId::Anonymous, Some(_), Clients::One(_)) => Some(Precision::Target),
            (ActorId::Anonymous, Some(_), Clients::Network(_)) => Some(Precision::TargetAndNetwork),
            (ActorId::Anonymous, Some(_), Clients::Several) => Some(Precision::TargetOnly),
            (ActorId::Anonymous, None, Clients::One(_)) => Some(Precision::Address),
            (ActorId::Anonymous, None, Clients::Network(_)) => Some(Precision::Network),
            (ActorId::Anonymous | ActorId::Service, None, Clients::Several) => None,
            (_, _, Clients::One(_)) => Some(Precision::Actor),
            (_, _, Clients::Network(_) | Clients::Several) => Some(Precision::ActorAndAction),
        }
    }

    pub fn owner(&self) -> Option<Owner> {
        match (self.actor, &self.target) {
            (ActorId::Anonymous, target) => target.clone().map(Owner::Target),
            (actor, _) => Some(Owner::Actor(actor)),
        }
    }

    /// The next coarser kind, which a kind beyond the limits is merged into.
    pub fn coarser(mut self) -> Self {
        match self.precision() {
            Some(Precision::Actor) => (self.target, self.clients) = (None, Clients::Several),
            Some(Precision::ActorAndAction) => self.actor = ActorId::Service,
            Some(Precision::Target | Precision::Address) => {
                self.clients = match self.clients {
                    Clients::One(Some(client)) => Clients::Network(SiteNetwork::of(client)),
                    _ => Clients::Several,
                };
            }
            Some(Precision::TargetAndNetwork | Precision::Network) => self.clients = Clients::Several,
            Some(Precision::TargetOnly) | None => self.target = None,
        }
        self
    }

    /// The event for this kind, from that of its first request. Its detail states what was merged.
    pub fn event(&self, first: NewEvent) -> NewEvent {
        let merged = match (self.clients, self.actor) {
            (Clients::One(_), _) => return first,
            (Clients::Network(network), _) => format!("merged by network: {network}"),
            (Clients::Several, ActorId::Anonymous) if self.target.is_some() => "merged: any address".to_owned(),
            (Clients::Several, ActorId::Service) => "merged: any user".to_owned(),
            (Clients::Several, _) => "merged: any target and address".to_owned(),
        };
        let detail = self.detail.iter().cloned().chain([merged]).collect::<Vec<_>>().join("; ");
        let mut event = NewEvent { target: self.target.clone(), detail: Some(detail), ..first };
        (event.by.id, event.by.origin.client) = (self.actor, None);
        event
    }
}
