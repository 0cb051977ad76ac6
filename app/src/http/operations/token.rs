//! Response of login and refresh: an access token and a refresh token.

use domain::session::{Grant, RefreshToken};

use crate::http::wire::{Int, closed_enum, response, text_value};

/// A refresh token for examples.
pub const EXAMPLE_REFRESH_TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

text_value!(
    RefreshToken { "minLength": 64, "maxLength": 64, "pattern": RefreshToken::PATTERN },
    |text: String| RefreshToken::parse(&text),
    RefreshToken::expose
);

closed_enum! {
    /// Token type (RFC 6750).
    pub enum TokenType as "TokenType" {
        Bearer = "Bearer",
    }
}

response! {
    /// An access token, its lifetime, and a refresh token.
    pub struct TokenDocument as "Token" {
        /// Access token: a JWT to send in `Authorization: Bearer <token>`.
        token: String = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl",
        token_type: TokenType = "Bearer",
        /// Seconds until the token expires.
        expires_in: Int<1, 315_360_000> = 900,
        /// Refresh token, which `POST /token/refresh` accepts once.
        refresh_token: String = EXAMPLE_REFRESH_TOKEN,
        /// Seconds until the session expires if it is not refreshed.
        refresh_expires_in: Int<0, 315_360_000> = 604_800,
    }
}

impl From<&Grant> for TokenDocument {
    fn from(grant: &Grant) -> Self {
        Self {
            token: grant.token.expose().to_owned(),
            token_type: TokenType::Bearer,
            expires_in: Int(grant.expires_in),
            refresh_token: grant.refresh_token.expose(),
            refresh_expires_in: Int(grant.refresh_expires_in),
        }
    }
}
