//! `/audit-events`: who did what, to whom, when and from where.

mod wire;

use domain::Who;
use domain::audit::{Action, EventFilter, Target};
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use wire::{ActionDocument, PageDocument};

use super::answers::PageAnswer;
use super::caller::Caller;
use super::{Tag, Use};
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters};
use crate::http::page_link::next_link;
use crate::http::problem::{Refused, refusals};

refusals! {
    /// What a look at the audit can be refused for.
    Paging: InvalidFields;
}

pub struct AuditApi;

#[OpenApi(tag = "Tag::Audit")]
impl AuditApi {
    /// List audit events
    ///
    /// A page of the audit in the order in which it was written. Every change of students, users, sessions and keys is
    /// there, and every login and refusal; refusals of a kind that come close together are one event with a count.
    /// Nothing here can be changed or removed.
    #[oai(path = "/audit-events", method = "get", operation_id = "listAuditEvents")]
    #[expect(clippy::too_many_arguments, reason = "poem-openapi takes each parameter as an argument")]
    async fn list(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// Who did it: `user:ID`, `operator`, `service` or `anonymous`.
        #[oai(validator(max_length = "64"))]
        actor: Query<Option<Loose<String>>>,
        /// What was done.
        action: Query<Option<Loose<ActionDocument>>>,
        /// To whom: `student:ID`, `user:ID`, `session:ID`, `operation:NAME` or `key:ID`.
        #[oai(validator(max_length = "256"))]
        target: Query<Option<Loose<String>>>,
        /// The earliest time.
        since: Query<Option<Loose<OffsetDateTime>>>,
        /// All events are before this time.
        until: Query<Option<Loose<OffsetDateTime>>>,
        /// The most events to answer at once.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<Loose<u16>>>,
        /// The `next` of the page before.
        after: Query<Option<Loose<String>>>,
    ) -> Result<PageAnswer<PageDocument>, Refused<Paging>> {
        let by = caller.admin()?;
        let mut parameters = Parameters::default();
        parameters.known(request, &["actor", "action", "target", "since", "until", "limit", "after"]);
        let filter = EventFilter {
            actor: parameters.take("actor", actor.0.as_ref(), str::parse::<Who>),
            action: parameters.take("action", action.0.as_ref(), str::parse::<Action>),
            target: parameters.take("target", target.0.as_ref(), str::parse::<Target>),
            since: parameters.take("since", since.0.as_ref(), instant),
            until: parameters.take("until", until.0.as_ref(), instant),
        };
        let (size, after) = parameters.page(limit.0.as_ref(), after.0.as_ref());
        parameters.check()?;
        let page = uses.review.page(&by, &filter, after, size).await?;
        let given = [
            ("actor", actor.0.as_ref().map(Loose::as_str)),
            ("action", action.0.as_ref().map(Loose::as_str)),
            ("target", target.0.as_ref().map(Loose::as_str)),
            ("since", since.0.as_ref().map(Loose::as_str)),
            ("until", until.0.as_ref().map(Loose::as_str)),
        ];
        let filters: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let path = PathPrefix::before(request, "/audit-events");
        let link = page.next.map(|next| next_link(&path, next, size, &filters));
        Ok(PageAnswer::Page(JsonAnswer(page.into()), link))
    }
}

fn instant(text: &str) -> Result<OffsetDateTime, &'static str> {
    let read = OffsetDateTime::parse(text, &Rfc3339).ok();
    let utc =
        read.and_then(|at| at.checked_to_offset(time::UtcOffset::UTC)).filter(|at| (1..=9999).contains(&at.year()));
    utc.ok_or("must be a date and time as in 2026-11-23T12:00:00Z (RFC 3339)")
}
