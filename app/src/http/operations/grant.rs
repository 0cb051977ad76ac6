//! What a login and a refresh answer: an access token, and a refresh token for the next one.

use domain::token::Grant;
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

/// A refresh token to look at.
pub const EXAMPLE_REFRESH_TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A token, how long it is good for, and how to get the next one.
#[derive(Serialize, Object)]
#[oai(rename = "Token", example)]
pub struct TokenDocument {
    /// The token: a JWT to send in `Authorization: Bearer <token>`.
    #[oai(validator(max_length = "8192"))]
    token: String,
    /// How to send the token (RFC 6750): always `Bearer`.
    #[oai(validator(max_length = "16"))]
    token_type: String,
    /// Seconds until the token expires.
    #[oai(validator(minimum(value = "1"), maximum(value = "315360000")))]
    expires_in: i64,
    /// What `POST /token/refresh` takes, once, for the next token.
    #[oai(validator(min_length = "64", max_length = "64"))]
    refresh_token: String,
    /// Seconds until the session is over, unless it is refreshed before.
    #[oai(validator(minimum(value = "0"), maximum(value = "315360000")))]
    refresh_expires_in: i64,
}

impl From<&Grant> for TokenDocument {
    fn from(grant: &Grant) -> Self {
        Self {
            token: grant.token.expose().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: grant.expires_in,
            refresh_token: grant.refresh_token.expose(),
            refresh_expires_in: grant.refresh_expires_in,
        }
    }
}

impl Example for TokenDocument {
    fn example() -> Self {
        Self {
            token: "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl".into(),
            token_type: "Bearer".into(),
            expires_in: 900,
            refresh_token: EXAMPLE_REFRESH_TOKEN.into(),
            refresh_expires_in: 604_800,
        }
    }
}
