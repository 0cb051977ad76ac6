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

/// The actor, target or client network that kinds with the same limit share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Actor(ActorId),
    Target(Target),
    /// `None` if the address is unknown.
    Network(Option<SiteNetwork>),
}

impl Precision {
    /// An owner has at most this fraction of the places that are left for owners with several kinds.
    const SHARE: usize = 16;

    /// Maximum number of kinds with this precision.
    pub const fn limit(self) -> usize {
        match self {
            Self::Actor => 8_192,
            Self::ActorAndAction => 4_096,
            Self::Target | Self::TargetAndNetwork | Self::TargetOnly => 2_048,
            Self::Address | Self::Network => 1_024,
        }
    }

    /// Whether one more kind is within the limits, besides `total` kinds, of which `of_owner` have its owner. Half of the limit is
    /// for the first kind of each owner, and the other half is shared, so that a few owners cannot use all of it.
    pub const fn admits(self, total: usize, of_owner: usize) -> bool {
        let limit = if of_owner == 0 { self.limit() } else { self.limit() / 2 };
        of_owner * Self::SHARE < limit.saturating_sub(total)
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

    pub fn owner(&self) -> Owner {
        match (self.actor, &self.target, self.clients) {
            (ActorId::Anonymous, Some(target), _) => Owner::Target(target.clone()),
            (ActorId::Anonymous, None, Clients::One(client)) => Owner::Network(client.map(SiteNetwork::of)),
            (ActorId::Anonymous, None, Clients::Network(network)) => Owner::Network(Some(network)),
            (ActorId::Anonymous, None, Clients::Several) => Owner::Network(None),
            (actor, ..) => Owner::Actor(actor),
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
