//! `POST /login`: a name and a password against tokens, as in the articles.

use poem::Request;
use poem_openapi::{ApiResponse, OpenApi};

use super::token::TokenDocument;
use super::{Tag, Uses};
use crate::http::edge::{origin, user_agent};
use crate::http::problem::{OperationError, error_set};
use crate::http::rate_limit::RateLimit;
use crate::http::request::{Body, BodyRules, Public};
use crate::http::response::Json;
use crate::http::wire::{input, text_value};

/// Any text but the empty one.
pub struct LoginName(String);
/// Any text but the empty one.
pub struct LoginPassword(String);

text_value!(
    LoginName { "minLength": 1, "maxLength": 64 },
    |text| not_empty(text).map(LoginName),
    |name: &LoginName| name.0.clone()
);
text_value!(
    LoginPassword { "minLength": 1, "maxLength": 128, "format": "password" },
    |text| not_empty(text).map(LoginPassword),
    |password: &LoginPassword| password.0.clone()
);

fn not_empty(text: String) -> Result<String, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(text) }
}

/// A name and a password as sent.
pub struct Sent {
    username: LoginName,
    password: LoginPassword,
}

input! {
    /// A name and a password. The keys are capitalised, as legacy clients send them.
    Credentials as "Credentials" => Sent, BodyRules::LOGIN, {
        /// Username; its case is ignored.
        username as "Username": LoginName = "shantanu",
        /// Password.
        password as "Password": LoginPassword = "password",
    }
}

#[derive(ApiResponse)]
enum LoggedIn {
    /// The name and the password are right: the tokens of a new session.
    #[oai(status = 200)]
    Token(
        Json<TokenDocument>,
        /// Always `no-store` (RFC 6749, section 5.1).
        #[oai(header = "Cache-Control")]
        String,
        /// Size of the quotas of failed logins, and the seconds in which they are restored.
        #[oai(header = "RateLimit-Policy")]
        Option<String>,
        /// Failed logins that are left, and the seconds until there are more.
        #[oai(header = "RateLimit")]
        Option<String>,
    ),
}

error_set! {
    LoggingIn: IncompleteCredentials, InvalidCredentials, TooManyAttempts, AccountLocked, Busy;
}

pub struct LogInApi;

#[OpenApi(tag = "Tag::Sessions")]
impl LogInApi {
    /// Log in
    ///
    /// Opens a session for the user with this name and password, and returns its first tokens. After five consecutive failed
    /// logins the account is throttled: each further attempt has to wait for 1, 2, 4 and up to 300 seconds, and earlier ones
    /// are rejected with 429 and `Retry-After`. After 100 the account is locked. A client address is throttled after far more
    /// failures. The Content-Type header and unknown keys are ignored.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        _public: Public,
        uses: Uses<'_>,
        request: &Request,
        body: Body<Credentials>,
    ) -> Result<LoggedIn, OperationError<LoggingIn>> {
        let Sent { username, password } = body.read().await?;
        let attempt = uses.log_in.log_in(&username.0, &password.0, user_agent(request), origin(request)).await;
        let limits = attempt.limits.map(RateLimit::from);
        let logged_in = attempt.outcome.map_err(|error| match limits.clone() {
            Some(limits) => limits.beside_problem(error.into()),
            None => error.into(),
        })?;
        if let Some(reason) = &logged_in.outdated_hash_kept {
            tracing::warn!(user_id = logged_in.user.id.get(), %reason, "an outdated password hash was kept");
        }
        let token = Json(TokenDocument::from(&logged_in.grant));
        let (policy, left) = limits.map(|limits| (limits.policy, limits.left)).unzip();
        Ok(LoggedIn::Token(token, "no-store".to_owned(), policy, left))
    }
}
