//! `/audit-events`: the audit log.

use domain::access::AuditRead;
use domain::audit::{Action, Event, EventFilter, EventId};
use domain::{ActorId, Target};
use poem_openapi::OpenApi;
use time::OffsetDateTime;

use super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{By, FromQuery, PageQuery, filters};
use crate::http::response::{InCollection, PageResponse};
use crate::http::wire::{Int, response, text_value};

// The parser accepts every id of the pattern, and some larger ones.
text_value!(
    ActorId {
        "maxLength": 64,
        "pattern": "^(user:([1-9][0-9]{0,14}|[1-8][0-9]{15})|operator|service|anonymous)$"
    },
    |text: String| text.parse::<ActorId>(),
    |actor: &ActorId| actor.to_string()
);

response! {
    /// A completed or rejected action.
    pub struct EventDocument as "AuditEvent" {
        /// Permanent identifier, never reused.
        id: EventId = 41,
        /// Time of the event. For aggregated rejections, the time of the first.
        at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// Actor: `user:ID`, `operator` (the command line), `service` (the server itself) or `anonymous` (no valid token).
        actor: ActorId = "user:2",
        /// Action: `KIND.created`, `KIND.updated` and `KIND.deleted` for records, such as `student.created`;
        /// `password.changed`, `password.reset`, `user.locked`, `user.unlocked`, `session.opened`, `session.refreshed`,
        /// `session.ended`, `session.replayed`, `sessions.expired`, `login.refused`, `access.refused` (no permission, or another
        /// user's session), `token.refused` (an access token that is invalid, revoked, or of an ended session, other than an
        /// expired one), `refresh.refused` (an unknown refresh token), `change.refused` (no active administrator would be left),
        /// `key.generated`, `key.rotated`, `key.retired`, `key.revoked`, `audit.pruned`. Later releases can add actions.
        action: Action = "user.updated",
        /// Target of the action as `KIND:ID`: `student:ID`, `user:ID`, `session:ID`, `operation:NAME` or `key:ID`. Null if
        /// unknown. Later releases can add kinds.
        target: Option<Target> = "user:3",
        /// Details of the action, for example why it was rejected, or what was merged. Null if there are none.
        detail: Option<String> = "role viewer",
        /// Number of occurrences: 1, or more for aggregated rejections.
        count: Int<1, 4_294_967_295> = 1,
        /// `X-Request-Id` of the request, or of the first of several. Null if there was no request.
        request_id: Option<String> = "5f0c2d41-1a",
        /// IP address of the client. Null if there was no request, or if requests of several addresses were merged.
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
            actor: what.by.id,
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
        /// Actor of the events: `user:ID`, `operator`, `service` or `anonymous`.
        actor: ActorId,
        /// Action of the events, such as `user.created`.
        action: Action,
        /// Target of the events, such as `student:7` or `operation:createUser`.
        target: Target,
        /// Start of the time range, inclusive.
        since: OffsetDateTime,
        /// End of the time range, exclusive.
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
    /// Returns one page of the audit events, ordered by id: changes of students, users, sessions and keys, logins, and rejected
    /// logins, tokens and operations. Rejections with the same actor, action, target, detail and address within five seconds are
    /// aggregated to one event with a count. If there are too many of them, those of anonymous clients are merged by network, and
    /// those of one user by action; `detail` states what was merged. Events cannot be changed or deleted through the API.
    #[oai(path = "/audit-events", method = "get", operation_id = "listAuditEvents")]
    async fn list(
        &self,
        by: By<AuditRead>,
        uses: UseCasesData<'_>,
        query: FromQuery<PageQuery<EventFilter>>,
    ) -> Result<PageResponse<EventDocument>, OperationError<Listing>> {
        let _turn = uses.turn(&by, &query.filter).await;
        let page = uses.review.page(&by, &query.filter, query.page.clone()).await?;
        Ok(PageResponse::new(page, &query))
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::registry::Registry;

    use super::*;
    use crate::http::wire::Described as _;

    #[test]
    fn every_action_is_documented() {
        let schema = EventDocument::schema(&mut Registry::new());
        let description = schema["properties"]["action"]["description"].as_str().unwrap();
        for action in Action::OTHERS {
            assert!(description.contains(&format!("`{action}`")), "{action}");
        }
    }
}
