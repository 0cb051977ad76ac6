//! `PUT /me/password`: replaces the password of the caller, given the current one.

use domain::access::OwnPasswordWrite;
use domain::user::{GivenPassword, NewPassword, Password, PasswordPolicy, Username};
use poem_openapi::OpenApi;

use super::sessions::Ended;
use super::users::NewPasswordText;
use super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{Body, BodyRules, By, Content, Fields, Invalid, detached};
use crate::http::wire::object::described_object;
use crate::http::wire::text_value;

// Only the maximum length is checked, as at login.
text_value!(
    GivenPassword { "minLength": 1, "maxLength": Password::MAX_CHARS, "format": "password" },
    |text: String| GivenPassword::parse(&text),
    |given: &GivenPassword| given.preferred().expose().to_owned()
);

/// The current password and the new one.
pub struct PasswordChange;

described_object! {
    PasswordChange, "PasswordChange", ["The current password and the new one."],
    true, WireField::request_schema, crate::http::wire::Presence::is_required, {
        /// Current password.
        current_password: GivenPassword = "password",
        /// New password: at least 15 characters, unless the installation configures another minimum. Common passwords, the
        /// current password, passwords that contain the username, and control and invisible characters are rejected.
        new_password: NewPasswordText = "slow river under seven bridges",
    }
}

/// Context of the rules for a new password.
pub struct PasswordRules {
    policy: PasswordPolicy,
    username: Username,
}

impl Content for PasswordChange {
    type Parsed = (GivenPassword, NewPassword);
    type Context = PasswordRules;

    const RULES: BodyRules = BodyRules::SMALL_JSON;

    fn parse(fields: &mut Fields, rules: &PasswordRules) -> Result<Self::Parsed, Invalid> {
        let current = fields.take("current_password");
        let new =
            fields.required("new_password", |text| NewPasswordText::check(text, Some(&rules.username), rules.policy));
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
    /// Replaces your password and ends your other sessions. A wrong current password counts as a failed login.
    #[oai(path = "/me/password", method = "put", operation_id = "replaceOwnPassword")]
    async fn replace(
        &self,
        by: By<OwnPasswordWrite>,
        uses: UseCasesData<'_>,
        body: Body<PasswordChange>,
    ) -> Result<Ended, OperationError<Replacing>> {
        let username = by.caller().user.username.clone();
        let rules = PasswordRules { policy: uses.own_password.policy, username };
        let (current, new) = body.read_with(&rules).await?;
        let (own_password, caller) = (uses.own_password.clone(), by.into_proof());
        detached(|cancelled| async move {
            own_password.change(&caller, &rules.username, current, new, cancelled.wait()).await
        })
        .await?;
        Ok(Ended::Ended)
    }
}
