//! Sessions as they go over the wire, without their tokens.

use domain::SessionId;
use domain::session::{Authenticated, RefreshToken, Session, UserAgent};
use time::OffsetDateTime;

use super::super::token::EXAMPLE_REFRESH_TOKEN;
use crate::http::request::BodyRules;
use crate::http::response::InCollection;
use crate::http::wire::{input, response};

/// A refresh token as sent.
pub struct Sent {
    pub refresh_token: RefreshToken,
}

input! {
    /// A refresh token, which is used up.
    RefreshRequest as "RefreshRequest" => Sent, BodyRules::SMALL_JSON, {
        /// The `refresh_token` of the last login or refresh.
        refresh_token: RefreshToken = EXAMPLE_REFRESH_TOKEN,
    }
}

response! {
    /// An open session.
    pub struct SessionDocument as "Session" {
        /// Permanent identifier, never reused.
        id: SessionId = 12,
        /// Whether it is the session of the token in use.
        current: bool = true,
        /// Time of the login.
        opened_at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// Time of the last refresh; at first that of the login.
        refreshed_at: OffsetDateTime = "2026-11-23T12:14:00Z",
        /// Time at which the session ends unless it is refreshed before.
        expires_at: OffsetDateTime = "2026-11-30T12:14:00Z",
        /// Time at which the session ends however often it is refreshed.
        ends_at: OffsetDateTime = "2026-12-23T12:00:00Z",
        /// Client address of the login; null if unknown.
        client: Option<String> = "192.0.2.7",
        /// User-Agent of the login; null if it had none.
        user_agent: Option<String> = "Mozilla/5.0",
    }
}

impl InCollection for SessionDocument {
    const COLLECTION: &'static str = "sessions";
}

impl SessionDocument {
    /// A session as shown to `caller`.
    pub fn new(session: &Session, caller: &Authenticated) -> Self {
        Self {
            id: session.id,
            current: session.id == caller.claims.session_id,
            opened_at: session.opened_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            ends_at: session.ends_at,
            client: session.client.map(|client| client.to_string()),
            user_agent: session.user_agent.as_ref().map(UserAgent::as_str).map(str::to_owned),
        }
    }
}
