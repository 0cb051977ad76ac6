//! Users as `/users` reads and writes them, without their passwords.

use domain::access::Role;
use domain::user::{NewPassword, OneTimePassword, PasswordPolicy, Status, User, UserChange, Username};
use secrecy::ExposeSecret;
use serde_json::Value;
use time::OffsetDateTime;

use crate::http::request::{BodyRules, Content, Fields, Invalid};
use crate::http::wire::object::described_object;
use crate::http::wire::{WireValue as _, enum_value, patch, record, response, text_value};

enum_value! {
    /// Whether a user may log in. Every token of a disabled user is rejected.
    Status as "UserStatus"
}

record! {
    /// A user account.
    User as UserDocument "User" in "users" {
        /// Username to log in with.
        username: Username = "meera",
        role: Role = "registrar",
        status: Status = "active",
        /// Whether the password is a one-time password, which has to be changed before anything else.
        password_change_due: bool = false,
    }
}

response! {
    /// A password to hand to its user, who has to change it before anything else. This response is its only copy.
    pub struct OneTimePasswordDocument as "OneTimePassword" {
        /// The password.
        password: String = "2f1c-9a40-77de-0b6e-51c3-e8d2-04fa-b937",
        /// Time until which it can be used to log in.
        expires_at: OffsetDateTime = "2026-11-24T12:00:00Z",
    }
}

impl From<OneTimePassword> for OneTimePasswordDocument {
    fn from(reset: OneTimePassword) -> Self {
        Self { password: reset.password.expose_secret().to_owned(), expires_at: reset.expires_at }
    }
}

/// The text of a new password, before it is judged.
pub struct NewPasswordText(String);

text_value!(
    NewPasswordText { "minLength": PasswordPolicy::LEAST_MIN_CHARS, "maxLength": 128, "format": "password" },
    |text: String| Ok::<_, &str>(NewPasswordText(text)),
    |text: &NewPasswordText| text.0.clone()
);

impl NewPasswordText {
    /// Judges a new password of a user, whose name is not known if it is invalid itself.
    pub fn judge(value: Value, username: Option<&Username>, policy: PasswordPolicy) -> Result<NewPassword, String> {
        NewPassword::parse(&Self::parse(value)?.0, username, policy).map_err(|rule| rule.to_string())
    }
}

/// A user to create.
pub struct UserInput;

described_object! {
    UserInput, "UserInput", ["A user to create."],
    true, WireField::request_schema, crate::http::wire::Presence::is_required, {
        /// Username to log in with: no white space or control characters; unique, ignoring case.
        username: Username = "meera",
        /// Password: at least 15 characters, unless this installation has another minimum; not a common one, and without the
        /// username.
        password: NewPasswordText = "slow river under seven bridges",
        role: Role = "registrar",
    }
}

/// What a new user is made of.
pub struct ParsedUser {
    pub username: Username,
    pub password: NewPassword,
    pub role: Role,
}

impl Content for UserInput {
    type Parsed = ParsedUser;
    type Context = PasswordPolicy;

    const RULES: BodyRules = BodyRules::JSON;

    fn parse(fields: &mut Fields, policy: &PasswordPolicy) -> Result<ParsedUser, Invalid> {
        let username = fields.take::<Username>("username");
        let password =
            fields.required("password", |text| NewPasswordText::judge(text, username.as_ref().ok(), *policy));
        let role = fields.take("role");
        Ok(ParsedUser { username: username?, password: password?, role: role? })
    }
}

patch! {
    /// The fields to change; absent fields stay as they are.
    UserPatchInput as "UserPatch" => UserChange, BodyRules::MERGE_PATCH, {
        role: Role = "viewer",
        status: Status = "active",
    }
}
