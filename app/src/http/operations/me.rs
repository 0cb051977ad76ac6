//! `GET /me`: who the token is.

use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::datetime;

use domain::user::Role;

use super::Tag;
use super::caller::Caller;
use crate::http::json_answer::JsonAnswer;

/// What a user may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename = "Role", rename_all = "lowercase")]
pub enum RoleDocument {
    /// Reads the roll.
    Viewer,
    /// Writes the roll.
    Registrar,
    /// Keeps the users.
    Admin,
}

impl From<Role> for RoleDocument {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Registrar => Self::Registrar,
            Role::Admin => Self::Admin,
        }
    }
}

/// The bearer of a token.
#[derive(Serialize, Object)]
#[oai(rename = "Me", example)]
struct MeDocument {
    /// The user's id, the token's `user_id`.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    /// The name that the user logs in with.
    #[oai(validator(min_length = "1", max_length = "64"))]
    username: String,
    role: RoleDocument,
    /// When the token was issued.
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
    /// When the token expires.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl Example for MeDocument {
    fn example() -> Self {
        Self {
            id: 1,
            username: "shantanu".into(),
            role: RoleDocument::Registrar,
            issued_at: datetime!(2026-11-23 12:00 UTC),
            expires_at: datetime!(2026-11-23 12:15 UTC),
        }
    }
}

#[derive(ApiResponse)]
enum MeAnswer {
    /// The bearer of the token.
    #[oai(status = 200)]
    Me(JsonAnswer<MeDocument>),
}

pub struct MeApi;

#[expect(clippy::unused_async, reason = "poem-openapi takes async operations alone")]
#[OpenApi(tag = "Tag::Sessions")]
impl MeApi {
    /// See who you are
    ///
    /// The user that the token stands for, with the role as it is now.
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn me(&self, caller: Caller) -> MeAnswer {
        let bearer = caller.authenticated();
        MeAnswer::Me(JsonAnswer(MeDocument {
            id: bearer.user.id.get(),
            username: bearer.user.username.as_str().to_owned(),
            role: bearer.user.role.into(),
            issued_at: bearer.claims.issued_at,
            expires_at: bearer.claims.expires_at,
        }))
    }
}
