//! Audit events as they go over the wire.

use std::borrow::Cow;

use domain::Page;
use domain::audit::{Action, Event};
use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{Example, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

/// An action by its name; the document lists them all.
#[derive(Debug, Clone, Copy)]
pub struct ActionDocument(Action);

impl Serialize for ActionDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl Type for ActionDocument {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Action".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let names = Action::ALL.iter().map(|action| Value::from(action.as_str())).collect();
        MetaSchemaRef::Inline(Box::new(MetaSchema { enum_items: names, ..MetaSchema::new("string") }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for ActionDocument {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.as_str().into())
    }
}

impl poem_openapi::types::ParseFromJSON for ActionDocument {
    fn parse_from_json(value: Option<Value>) -> poem_openapi::types::ParseResult<Self> {
        let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
        text.parse().map(Self).map_err(poem_openapi::types::ParseError::custom)
    }
}

/// One thing that was done, or refused.
#[derive(Serialize, Object)]
#[oai(rename = "AuditEvent", example)]
pub struct EventDocument {
    /// Names this event, for ever.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    /// When; where several refusals were gathered, the time of the first.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Who did it: `user:ID`, `operator` (the command line), `service` or `anonymous`.
    #[oai(validator(max_length = "64"))]
    actor: String,
    /// What was done.
    action: ActionDocument,
    /// To whom or what: `student:ID`, `user:ID`, `session:ID`, `operation:NAME` or `key:ID`; null where it is nobody
    /// that is known.
    #[oai(nullable, validator(max_length = "256"))]
    target: Option<String>,
    /// What exactly, where there is more to say.
    #[oai(nullable, validator(max_length = "200"))]
    detail: Option<String>,
    /// How often.
    #[oai(validator(minimum(value = "1"), maximum(value = "4294967295")))]
    count: i64,
    /// The `X-Request-Id` of the request; null where nothing was requested.
    #[oai(nullable, validator(max_length = "128"))]
    request_id: Option<String>,
    /// The client's address; null where nothing was requested.
    #[oai(nullable, validator(max_length = "45"))]
    client: Option<String>,
}

impl From<Event> for EventDocument {
    fn from(event: Event) -> Self {
        let what = event.what;
        Self {
            id: event.id.get(),
            at: what.by.at,
            actor: what.by.who.to_string(),
            action: ActionDocument(what.action),
            target: what.target.map(|target| target.to_string()),
            // Earlier releases kept that there was nothing to say as an empty text.
            detail: what.detail.filter(|detail| !detail.is_empty()),
            count: what.count.into(),
            request_id: what.by.origin.request_id.as_deref().map(str::to_owned),
            client: what.by.origin.client.map(|client| client.to_string()),
        }
    }
}

impl Example for EventDocument {
    fn example() -> Self {
        Self {
            id: 41,
            at: datetime!(2026-11-23 12:00 UTC),
            actor: "user:2".into(),
            action: ActionDocument(Action::UserChanged),
            target: Some("user:3".into()),
            detail: Some("role viewer".into()),
            count: 1,
            request_id: Some("5f0c2d41-1a".into()),
            client: Some("192.0.2.7".into()),
        }
    }
}

/// A piece of the audit, in the order in which it was written.
#[derive(Serialize, Object)]
#[oai(rename = "AuditEventPage", example)]
pub struct PageDocument {
    /// The events of this page.
    #[oai(validator(max_items = "200"))]
    events: Vec<EventDocument>,
    /// The cursor of the next page, for `after`; null on the last page.
    #[oai(nullable)]
    next: Option<String>,
}

impl From<Page<Event>> for PageDocument {
    fn from(page: Page<Event>) -> Self {
        Self {
            events: page.entries.into_iter().map(Into::into).collect(),
            next: page.next.map(|next| next.to_string()),
        }
    }
}

impl Example for PageDocument {
    fn example() -> Self {
        Self { events: vec![EventDocument::example()], next: Some("0000000000000029".into()) }
    }
}
