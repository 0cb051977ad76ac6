//! Wire format of sessions, without their tokens.

use domain::SessionId;
use domain::session::{Authenticated, RefreshToken, Session, UserAgent};
use time::OffsetDateTime;

use super::super::token::EXAMPLE_REFRESH_TOKEN;
use crate::http::request::BodyRules;
use crate::http::response::InCollection;
use crate::http::wire::{input, response};

/// Parsed body of a refresh.
pub struct ParsedRefresh {
    pub refresh_token: RefreshToken,
}

input! {
    /// A refresh token to exchange.
    RefreshRequest as "RefreshRequest" => ParsedRefresh, BodyRules::SMALL_JSON, {
        /// The `refresh_token` from the last login or refresh.
        refresh_token: RefreshToken = EXAMPLE_REFRESH_TOKEN,
    }
}

response! {
    /// An open session.
    pub struct SessionDocument as "Session" {
        /// Permanent identifier, never reused.
        id: SessionId = 12,
        /// Whether this is the session of the access token in the request.
        current: bool = true,
        /// Time of the login.
        opened_at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// Time of the last refresh. Before the first refresh, the time of the login.
        refreshed_at: OffsetDateTime = "2026-11-23T12:14:00Z",
        /// Time at which the session expires if it is not refreshed.
        expires_at: OffsetDateTime = "2026-11-30T12:14:00Z",
        /// Time at which the session ends regardless of refreshes.
        ends_at: OffsetDateTime = "2026-12-23T12:00:00Z",
        /// IP address of the client at the login. Null if unknown.
        client: Option<String> = "192.0.2.7",
        /// `User-Agent` header of the login request. Null if it was absent.
        user_agent: Option<String> = "Mozilla/5.0",
    }
}

impl InCollection for SessionDocument {
    const COLLECTION: &'static str = "sessions";
}

impl SessionDocument {
    /// Converts a session for the response to `caller`.
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
