//! `PUT /me/password`: one's own password, replaced by a caller who knows the current one.

use domain::access::OwnPasswordWrite;
use domain::user::{NewPassword, Password, PasswordPolicy, Username};
use poem_openapi::OpenApi;

use super::sessions::Ended;
use super::users::NewPasswordText;
use super::{Tag, Uses};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{Body, BodyRules, By, Content, Fields, Invalid};
use crate::http::wire::object::described_object;
use crate::http::wire::text_value;

// A login checks only the upper length: so does this.
text_value!(
    Password { "minLength": 1, "maxLength": Password::MAX_CHARS, "format": "password" },
    |text: String| Password::parse(&text),
    Password::expose
);

/// The current password and the new one.
pub struct PasswordChange;

described_object! {
    PasswordChange, "PasswordChange", ["The current password and the new one."],
    true, WireField::request_schema, crate::http::wire::Presence::is_required, {
        /// The current password.
        current_password: Password = "password",
        /// The new password: at least 15 characters, unless this installation has another minimum; not a common one, not the
        /// current one, and without the username.
        new_password: NewPasswordText = "slow river under seven bridges",
    }
}

/// What the rules for a new password depend on.
pub struct PasswordRules {
    policy: PasswordPolicy,
    username: Username,
}

impl Content for PasswordChange {
    type Parsed = (Password, NewPassword);
    type Context = PasswordRules;

    const RULES: BodyRules = BodyRules::SMALL_JSON;

    fn parse(fields: &mut Fields, rules: &PasswordRules) -> Result<Self::Parsed, Invalid> {
        let current = fields.take("current_password");
        let new =
            fields.required("new_password", |text| NewPasswordText::judge(text, Some(&rules.username), rules.policy));
        Ok((current?, new?))
    }
}

error_set! {
    Replacing: InvalidFields, TooManyAttempts, AccountLocked, Busy;
}

pub struct OwnPasswordApi;

#[OpenApi(tag = "Tag::Sessions")]
impl OwnPasswordApi {
    /// Replace your password
    ///
    /// Replaces your password, and ends your other sessions. A wrong current password counts as a failed login.
    #[oai(path = "/me/password", method = "put", operation_id = "replaceOwnPassword")]
    async fn replace(
        &self,
        by: By<OwnPasswordWrite>,
        uses: Uses<'_>,
        body: Body<PasswordChange>,
    ) -> Result<Ended, OperationError<Replacing>> {
        let username = by.caller().user.username.clone();
        let rules = PasswordRules { policy: uses.own_password.policy, username };
        let (current, new) = body.read_with(&rules).await?;
        uses.own_password.change(&by, &rules.username, current, new).await?;
        Ok(Ended::Ended)
    }
}
