//! `GET /me`: the user of the access token.

use domain::UserId;
use domain::access::{OwnProfileRead, Role};
use domain::user::Username;
use poem_openapi::OpenApi;
use time::OffsetDateTime;

use super::Tag;
use crate::http::request::By;
use crate::http::response::Json;
use crate::http::wire::{enum_value, response, text_value};

enum_value! {
    /// Role of a user. Each role includes the previous ones: a viewer reads student records, a registrar also writes them, an
    /// admin also manages users and reads the audit log.
    Role as "Role"
}
text_value!(Username);

response! {
    /// The user of an access token.
    pub struct Me as "Me" {
        /// Id of the user, as in the token's claim `user_id`.
        id: UserId = 1,
        /// Username for logins.
        username: Username = "shantanu",
        role: Role = "registrar",
        /// Time at which the token was issued.
        issued_at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// Time at which the token expires.
        expires_at: OffsetDateTime = "2026-11-23T12:15:00Z",
    }
}

pub struct MeApi;

#[expect(clippy::unused_async, reason = "poem-openapi requires async operations")]
#[OpenApi(tag = "Tag::Sessions")]
impl MeApi {
    /// Get your own account
    ///
    /// Returns the user of the access token, with the current role.
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn get(&self, by: By<OwnProfileRead>) -> Json<Me> {
        let caller = by.caller();
        Json(Me {
            id: caller.user.id,
            username: caller.user.username.clone(),
            role: caller.user.role,
            issued_at: caller.claims.issued_at,
            expires_at: caller.claims.expires_at,
        })
    }
}
