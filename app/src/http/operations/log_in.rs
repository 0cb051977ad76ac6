//! `POST /login`: a name and a password against tokens, as the articles wrote it.

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::grant::TokenDocument;
use super::{Tag, Use};
use crate::http::body::{AtFault, Content, Fields, JsonBody, text};
use crate::http::edge::{origin, user_agent};
use crate::http::json_answer::JsonAnswer;
use crate::http::problem::{Fault, Kind, Problem, Refused, refusals};
use crate::http::rate_limit::RateLimit;

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

#[derive(ApiResponse)]
enum LoggedInAnswer {
    /// The name and the password are right: a token.
    #[oai(status = 200)]
    Token(
        JsonAnswer<TokenDocument>,
        /// Always `no-store`: nobody on the way may keep a token (RFC 6749, section 5.1).
        #[oai(header = "Cache-Control")]
        String,
        /// How many logins may fail, and in how many seconds.
        #[oai(header = "RateLimit-Policy")]
        Option<String>,
        /// How many failed logins are left, and in how many seconds there will be more.
        #[oai(header = "RateLimit")]
        Option<String>,
    ),
}

refusals! {
    /// What a login can be refused for.
    LoggingIn: IncompleteCredentials, InvalidCredentials, TooManyAttempts, AccountLocked, Busy;
}

pub struct LogInApi;

#[OpenApi(tag = "Tag::Sessions")]
impl LogInApi {
    /// Log in
    ///
    /// Opens a session for the user with this name and password, and answers its first tokens. After 5 logins in a row
    /// that failed, an account waits 1, 2, 4 and up to 300 seconds before each further try; after 100 it is locked. A
    /// client's address waits too, after far more of them. Nobody looks at the request's Content-Type. Unknown keys are
    /// ignored.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        uses: Use<'_>,
        request: &Request,
        body: JsonBody<CredentialsDocument>,
    ) -> Result<LoggedInAnswer, Refused<LoggingIn>> {
        let (username, password) = body.read().await?;
        let attempt = uses.log_in.log_in(&username, &password, user_agent(request), origin(request)).await;
        let limits = attempt.limits.map(RateLimit::from);
        let logged_in = attempt.outcome.map_err(|error| RateLimit::beside(limits.as_ref(), error.into()))?;
        if let Some(reason) = &logged_in.outdated_hash_kept {
            tracing::warn!(user_id = logged_in.user.id.get(), %reason, "an outdated password hash was kept");
        }
        let token = JsonAnswer(TokenDocument::from(&logged_in.grant));
        let (policy, left) = limits.map(|limits| (limits.policy, limits.left)).unzip();
        Ok(LoggedInAnswer::Token(token, "no-store".to_owned(), policy, left))
    }
}
