//! `/audit-events`: who did what, to what, when and from where.

use domain::access::AuditRead;
use domain::audit::{Action, Event, EventFilter, EventId};
use domain::{Target, Who};
use poem_openapi::OpenApi;
use time::OffsetDateTime;

use super::{Tag, Uses};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{By, PageQuery, filters};
use crate::http::response::{InCollection, PageResponse};
use crate::http::wire::{Int, response, text_value};

// All of the ids that the pattern allows are accepted; some larger ones are, too.
text_value!(
    Who {
        "maxLength": 64,
        "pattern": "^(user:([1-9][0-9]{0,14}|[1-8][0-9]{15})|operator|service|anonymous)$"
    },
    |text: String| text.parse::<Who>(),
    |who: &Who| who.to_string()
);

response! {
    /// Something that was done, or rejected.
    pub struct EventDocument as "AuditEvent" {
        /// Permanent identifier, never reused.
        id: EventId = 41,
        /// Time; of several gathered rejections, that of the first.
        at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// Actor: `user:ID`, `operator` (the command line), `service` or `anonymous`.
        actor: Who = "user:2",
        /// What was done: `KIND.created`, `KIND.updated` and `KIND.deleted` for records, such as `student.created`;
        /// `password.changed`, `password.reset`, `user.locked`, `user.unlocked`, `session.opened`, `session.refreshed`,
        /// `session.ended`, `session.replayed`, `sessions.expired`, `login.refused`, `access.refused`, `key.generated`,
        /// `key.rotated`, `key.retired`, `key.revoked`, `audit.pruned`. Further actions can be added.
        action: Action = "user.updated",
        /// What it was done to, as `KIND:ID`: `student:ID`, `user:ID`, `session:ID`, `operation:NAME` or `key:ID`; null if
        /// unknown. Further kinds can be added.
        target: Option<Target> = "user:3",
        /// Details, if there is more to say.
        detail: Option<String> = "role viewer",
        /// How often it happened.
        count: Int<1, 4_294_967_295> = 1,
        /// `X-Request-Id` of the request; null if there was no request.
        request_id: Option<String> = "5f0c2d41-1a",
        /// Client address; null if there was no request.
        client: Option<String> = "192.0.2.7",
    }
}

impl InCollection for EventDocument {
    const COLLECTION: &'static str = "events";
}

impl From<Event> for EventDocument {
    fn from(Event { id, what }: Event) -> Self {
        Self {
            id,
            at: what.by.at,
            actor: what.by.who,
            action: what.action,
            target: what.target,
            detail: what.detail,
            count: Int(what.count.into()),
            request_id: what.by.origin.request_id.as_deref().map(str::to_owned),
            client: what.by.origin.client.map(|client| client.to_string()),
        }
    }
}

filters! {
    EventFilter {
        /// Only events of this actor: `user:ID`, `operator`, `service` or `anonymous`.
        actor: Who,
        /// Only this action, such as `user.created`.
        action: Action,
        /// Only events on this target, such as `student:7` or `operation:createUser`.
        target: Target,
        /// Earliest time.
        since: OffsetDateTime,
        /// Time that every event is earlier than.
        before: OffsetDateTime,
    }
}

error_set! {
    Listing: InvalidFields;
}

pub struct AuditApi;

#[OpenApi(tag = "Tag::Audit")]
impl AuditApi {
    /// List audit events
    ///
    /// Returns one page of the audit events in the order in which they were written: every change of students, users, sessions
    /// and keys, every login, and every rejected login and operation. Rejections of one kind in close succession are one event
    /// with a count. Events cannot be changed or deleted.
    #[oai(path = "/audit-events", method = "get", operation_id = "listAuditEvents")]
    async fn list(
        &self,
        by: By<AuditRead>,
        uses: Uses<'_>,
        query: PageQuery<EventFilter>,
    ) -> Result<PageResponse<EventDocument>, OperationError<Listing>> {
        let page = uses.review.page(&by, &query.filter, query.page).await?;
        Ok(PageResponse::new(page, &query))
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::registry::Registry;

    use super::*;
    use crate::http::wire::Described as _;

    #[test]
    fn every_action_is_described() {
        let schema = EventDocument::schema(&mut Registry::new());
        let description = schema["properties"]["action"]["description"].as_str().unwrap();
        for action in Action::OTHERS {
            assert!(description.contains(&format!("`{action}`")), "{action}");
        }
    }
}
