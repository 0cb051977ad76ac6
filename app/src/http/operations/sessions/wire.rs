//! Sessions as they go over the wire; nothing of a token but what its bearer sends.

use domain::Page;
use domain::session::{RefreshToken, Session, UserAgent};
use domain::token::Authenticated;
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::datetime;

use super::super::grant::EXAMPLE_REFRESH_TOKEN;
use crate::http::body::{AtFault, Content, Fields, text};

/// A refresh token to be used up.
#[derive(Object)]
#[oai(rename = "RefreshRequest", example, deny_unknown_fields)]
pub struct RefreshDocument {
    /// The `refresh_token` of the last login or refresh.
    #[oai(validator(min_length = "64", max_length = "64"))]
    refresh_token: String,
}

impl Example for RefreshDocument {
    fn example() -> Self {
        Self { refresh_token: EXAMPLE_REFRESH_TOKEN.into() }
    }
}

impl Content for RefreshDocument {
    type Parsed = RefreshToken;

    const MAX_BYTES: usize = 16 * 1024;

    fn parse(fields: &mut Fields) -> Result<RefreshToken, AtFault> {
        fields.required("refresh_token", text(|token: String| RefreshToken::parse(&token)))
    }
}

/// An open session.
#[derive(Serialize, Object)]
#[oai(rename = "Session", example)]
pub struct SessionDocument {
    /// Names this session, for ever.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    /// Whether it is the session of the token that asks.
    current: bool,
    /// When its user logged in.
    #[serde(with = "time::serde::rfc3339")]
    opened_at: OffsetDateTime,
    /// When it was last refreshed; at first, when it was opened.
    #[serde(with = "time::serde::rfc3339")]
    refreshed_at: OffsetDateTime,
    /// When it is over, unless it is refreshed before.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// When it is over, however often it is refreshed.
    #[serde(with = "time::serde::rfc3339")]
    ends_at: OffsetDateTime,
    /// The address that logged in; null where it is not known.
    #[oai(nullable, validator(max_length = "45"))]
    client: Option<String>,
    /// What the program that logged in called itself; null where it did not.
    #[oai(nullable, validator(max_length = "256"))]
    user_agent: Option<String>,
}

impl SessionDocument {
    fn new(session: &Session, bearer: &Authenticated) -> Self {
        Self {
            id: session.id.get(),
            current: session.id == bearer.claims.session_id,
            opened_at: session.opened_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            ends_at: session.ends_at,
            client: session.client.map(|client| client.to_string()),
            user_agent: session.user_agent.as_ref().map(UserAgent::as_str).map(str::to_owned),
        }
    }
}

impl Example for SessionDocument {
    fn example() -> Self {
        Self {
            id: 12,
            current: true,
            opened_at: datetime!(2026-11-23 12:00 UTC),
            refreshed_at: datetime!(2026-11-23 12:14 UTC),
            expires_at: datetime!(2026-11-30 12:14 UTC),
            ends_at: datetime!(2026-12-23 12:00 UTC),
            client: Some("192.0.2.7".into()),
            user_agent: Some("Mozilla/5.0".into()),
        }
    }
}

/// A piece of a list of sessions, in order of id.
#[derive(Serialize, Object)]
#[oai(rename = "SessionPage", example)]
pub struct PageDocument {
    /// The sessions of this page.
    #[oai(validator(max_items = "200"))]
    sessions: Vec<SessionDocument>,
    /// The cursor of the next page, for `after`; null on the last page.
    #[oai(nullable)]
    next: Option<String>,
}

/// A page as `bearer` is to see it.
pub fn page_document(page: &Page<Session>, bearer: &Authenticated) -> PageDocument {
    let sessions = page.entries.iter().map(|session| SessionDocument::new(session, bearer)).collect();
    PageDocument { sessions, next: page.next.map(|next| next.to_string()) }
}

impl Example for PageDocument {
    fn example() -> Self {
        Self { sessions: vec![SessionDocument::example()], next: Some("000000000000000c".into()) }
    }
}
