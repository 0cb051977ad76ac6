//! Wire format of users, without stored passwords.

use domain::Text as _;
use domain::access::Role;
use domain::user::{NewPassword, NewUsername, OneTimePassword, PasswordPolicy, Status, User, UserUpdate, Username};
use secrecy::ExposeSecret;
use serde_json::Value;
use time::OffsetDateTime;

use crate::http::request::{BodyRules, Content, Fields, Invalid};
use crate::http::wire::object::described_object;
use crate::http::wire::{WireValue as _, enum_value, patch, record, response, text_value};

enum_value! {
    /// Status of a user. A disabled user cannot log in, and all of its tokens are rejected.
    Status as "UserStatus"
}

record! {
    /// A user account.
    User as UserDocument "User" in "users" {
        /// Username for logins.
        username: Username = "meera",
        role: Role = "registrar",
        status: Status = "active",
        /// Whether the password is a one-time password, which must be changed before other operations are allowed.
        password_change_due: bool = false,
    }
}

response! {
    /// A one-time password, returned only in this response. With it, the user can only log in and change the password.
    pub struct OneTimePasswordDocument as "OneTimePassword" {
        /// One-time password.
        password: String = "2f1c-9a40-77de-0b6e-51c3-e8d2-04fa-b937",
        /// Time at which the password expires.
        expires_at: OffsetDateTime = "2026-11-24T12:00:00Z",
    }
}

impl From<OneTimePassword> for OneTimePasswordDocument {
    fn from(reset: OneTimePassword) -> Self {
        Self { password: reset.password.expose_secret().to_owned(), expires_at: reset.expires_at }
    }
}

text_value!(
    NewUsername {
        "minLength": Username::MIN_CHARS, "maxLength": Username::MAX_CHARS, "pattern": Username::PATTERN
    },
    |text: String| text.parse::<NewUsername>(),
    |new: &NewUsername| new.as_username().as_str().to_owned()
);

/// Text of a new password, before its rules are checked.
pub struct NewPasswordText(String);

text_value!(
    NewPasswordText { "minLength": PasswordPolicy::MIN_MIN_CHARS, "maxLength": 128, "format": "password" },
    |text: String| Ok::<_, &str>(NewPasswordText(text)),
    |text: &NewPasswordText| text.0.clone()
);

impl NewPasswordText {
    /// Checks the rules for a new password. `username` is `None` if the request contains no valid one.
    pub fn check(value: Value, username: Option<&Username>, policy: PasswordPolicy) -> Result<NewPassword, String> {
        NewPassword::parse(&Self::parse(value)?.0, username, policy).map_err(|rule| rule.to_string())
    }
}

/// A user to create.
pub struct UserInput;

described_object! {
    UserInput, "UserInput", ["A user to create."],
    true, WireField::request_schema, crate::http::wire::Presence::is_required, {
        /// Username for logins: letters and digits of any script and printable ASCII characters, without white space (RFC 8265,
        /// profile UsernameCaseMapped). Unique, ignoring case, width and normalization form. Stored in Unicode normalization form C.
        username: NewUsername = "meera",
        /// Password: at least 15 characters, unless the installation configures another minimum. Common passwords, passwords
        /// that contain the username, and control and invisible characters are rejected. Normalization forms and kinds of spaces
        /// are not distinguished (RFC 8265, profile OpaqueString).
        password: NewPasswordText = "slow river under seven bridges",
        role: Role = "registrar",
    }
}

/// Parsed input for a new user.
pub struct ParsedUser {
    pub username: NewUsername,
    pub password: NewPassword,
    pub role: Role,
}

impl Content for UserInput {
    type Parsed = ParsedUser;
    type Context = PasswordPolicy;

    const RULES: BodyRules = BodyRules::JSON;

    fn parse(fields: &mut Fields, policy: &PasswordPolicy) -> Result<ParsedUser, Invalid> {
        let username = fields.take::<NewUsername>("username");
        let valid = username.as_ref().ok().map(NewUsername::as_username);
        let password = fields.required("password", |text| NewPasswordText::check(text, valid, *policy));
        let role = fields.take("role");
        Ok(ParsedUser { username: username?, password: password?, role: role? })
    }
}

patch! {
    /// Fields to change. Absent fields remain unchanged.
    UserPatchInput as "UserPatch" => UserUpdate, BodyRules::MERGE_PATCH, {
        role: Role = "viewer",
        status: Status = "active",
    }
}
