//! `POST /login`: exchanges a username and a password for tokens, as in the articles.

use poem::Request;
use poem_openapi::{ApiResponse, OpenApi};

use super::token::TokenDocument;
use super::{Tag, UseCasesData};
use crate::http::edge::{origin, user_agent};
use crate::http::problem::{OperationError, error_set};
use crate::http::rate_limit::RateLimit;
use crate::http::request::{Body, BodyRules, Public, detached};
use crate::http::response::Json;
use crate::http::wire::{input, text_value};

/// A username as sent: any text that is not empty.
pub struct LoginName(String);
/// A password as sent: any text that is not empty.
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

/// Username and password of a login.
pub struct ParsedCredentials {
    username: LoginName,
    password: LoginPassword,
}

input! {
    /// A username and a password. The keys are capitalised, as legacy clients send them.
    Credentials as "Credentials" => ParsedCredentials, BodyRules::LOGIN, {
        /// Username, case-insensitive.
        username as "Username": LoginName = "shantanu",
        /// Password.
        password as "Password": LoginPassword = "password",
    }
}

#[derive(ApiResponse)]
enum LoggedIn {
    /// The credentials are valid. Contains the tokens of a new session.
    #[oai(status = 200)]
    Token(
        Json<TokenDocument>,
        /// Always `no-store` (RFC 6749, section 5.1).
        #[oai(header = "Cache-Control")]
        String,
        /// Quotas of failed logins (`q`) and their refill periods in seconds (`w`).
        #[oai(header = "RateLimit-Policy")]
        Option<String>,
        /// Remaining failed logins (`r`) and seconds until they increase (`t`).
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
    /// Opens a session for the user with this username and password, and returns its first tokens. After five consecutive
    /// failed logins the account is throttled: the delay before the next attempt starts at one second and doubles up to 300
    /// seconds, and earlier attempts are rejected with 429 and `Retry-After`. After 100 consecutive failed logins the account
    /// is locked until an administrator unlocks it. Client addresses are throttled separately: after 300 failed logins, an
    /// address regains one attempt every two seconds. The Content-Type header and unknown keys are ignored.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        _public: Public,
        uses: UseCasesData<'_>,
        request: &Request,
        body: Body<Credentials>,
    ) -> Result<LoggedIn, OperationError<LoggingIn>> {
        let ParsedCredentials { username, password } = body.read().await?;
        let (log_in, user_agent, origin) = (uses.log_in.clone(), user_agent(request), origin(request));
        let attempt = detached(|cancelled| async move {
            log_in.log_in(&username.0, &password.0, user_agent, origin, cancelled.wait()).await
        });
        let attempt = attempt.await;
        let limits = RateLimit::from(attempt.limits);
        let logged_in = attempt.outcome.map_err(|error| limits.clone().add_to_problem(error.into()))?;
        if let Some(reason) = &logged_in.outdated_hash_kept {
            tracing::warn!(user_id = logged_in.user.id.get(), %reason, "outdated password hash was not upgraded");
        }
        let token = Json(TokenDocument::from(&logged_in.grant));
        Ok(LoggedIn::Token(token, "no-store".to_owned(), Some(limits.policy), Some(limits.left)))
    }
}
