//! `POST /login`: a name and a password against a token, as the articles wrote it.

use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::{Tag, Use};
use crate::http::body::{AtFault, Content, Fields, JsonBody, text};
use crate::http::json_answer::JsonAnswer;
use crate::http::problem::{Fault, Kind, Problem, Refused, refusals};

/// A name and a password. The keys are capitalised, as the articles' clients send them.
#[derive(Object)]
#[oai(rename = "Credentials", example)]
pub struct CredentialsDocument {
    /// The name; its case does not matter.
    #[oai(rename = "Username", validator(min_length = "1", max_length = "64"))]
    username: String,
    /// The password.
    #[oai(rename = "Password", validator(min_length = "1", max_length = "128"))]
    password: String,
}

impl Example for CredentialsDocument {
    fn example() -> Self {
        Self { username: "shantanu".into(), password: "password".into() }
    }
}

impl Content for CredentialsDocument {
    type Parsed = (String, String);

    const MEDIA_TYPES: &'static [&'static str] = &[];
    const MAX_BYTES: usize = 16 * 1024;
    const IGNORES_UNKNOWN: bool = true;

    fn parse(fields: &mut Fields) -> Result<Self::Parsed, AtFault> {
        let username = fields.required("Username", text(not_empty));
        let password = fields.required("Password", text(not_empty));
        Ok((username?, password?))
    }

    fn malformed(_detail: String) -> Problem {
        Problem::new(Kind::IncompleteCredentials)
    }

    fn invalid(faults: Vec<Fault>) -> Problem {
        Problem::new(Kind::IncompleteCredentials).with_faults(faults)
    }
}

fn not_empty(text: String) -> Result<String, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(text) }
}

/// A token, and how long it is good for.
#[derive(Serialize, Object)]
#[oai(rename = "Token", example)]
pub struct TokenDocument {
    /// The token: a JWT to send in `Authorization: Bearer <token>`.
    #[oai(validator(max_length = "8192"))]
    token: String,
    /// How to send the token (RFC 6750): always `Bearer`.
    token_type: String,
    /// Seconds until the token expires.
    #[oai(validator(minimum(value = "1"), maximum(value = "315360000")))]
    expires_in: i64,
}

impl Example for TokenDocument {
    fn example() -> Self {
        Self {
            token: "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl".into(),
            token_type: "Bearer".into(),
            expires_in: 900,
        }
    }
}

#[derive(ApiResponse)]
enum LoggedInAnswer {
    /// The name and the password are right: a token.
    #[oai(status = 200)]
    Token(
        JsonAnswer<TokenDocument>,
        /// Always `no-store`: nobody on the way may keep a token (RFC 6749, section 5.1).
        #[oai(header = "Cache-Control")]
        String,
    ),
}

refusals! {
    /// What a login can be refused for.
    LoggingIn: IncompleteCredentials, InvalidCredentials, Busy;
}

pub struct LogInApi;

#[OpenApi(tag = "Tag::Sessions")]
impl LogInApi {
    /// Log in
    ///
    /// Answers a token for the user with this name and password. Nobody looks at the
    /// request's Content-Type. Unknown keys are ignored.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        uses: Use<'_>,
        body: JsonBody<CredentialsDocument>,
    ) -> Result<LoggedInAnswer, Refused<LoggingIn>> {
        let (username, password) = body.read().await?;
        let logged_in = uses.log_in.log_in(&username, &password).await?;
        if let Some(reason) = &logged_in.outdated_hash_kept {
            tracing::warn!(user_id = logged_in.user.id.get(), %reason, "an outdated password hash was kept");
        }
        let token = TokenDocument {
            token: logged_in.token.expose().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: logged_in.lifetime.seconds(),
        };
        Ok(LoggedInAnswer::Token(JsonAnswer(token), "no-store".to_owned()))
    }
}
