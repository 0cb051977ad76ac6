//! Users as `/users` writes and reads them; nothing of a password is ever written.

use domain::Page;
use domain::user::{
    NewPassword, OneTimePassword, PasswordPolicy, Role, Status, User, UserChange, Username, UsernameError,
};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use secrecy::ExposeSecret;
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::datetime;

use super::super::me::RoleDocument;
use crate::http::body::{AtFault, Content, Fields, text};

/// Whether a user may log in and be logged in.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename = "Status", rename_all = "lowercase")]
enum StatusDocument {
    /// May log in.
    Active,
    /// May not log in, and is refused with every token.
    Disabled,
}

impl From<Status> for StatusDocument {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Disabled => Self::Disabled,
        }
    }
}

/// A user.
#[derive(Serialize, Object)]
#[oai(rename = "User", example)]
pub struct UserDocument {
    /// Names this user, for ever.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    /// The name that the user logs in with.
    #[oai(validator(min_length = "1", max_length = "64"))]
    username: String,
    role: RoleDocument,
    status: StatusDocument,
    /// Whether the password is a one-time password, which has to be changed before anything else.
    password_change_due: bool,
    /// When the user was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When the user was last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<User> for UserDocument {
    fn from(user: User) -> Self {
        Self {
            id: user.id.get(),
            username: user.username.as_str().to_owned(),
            role: user.role.into(),
            status: user.status.into(),
            password_change_due: user.password_change_due,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl Example for UserDocument {
    fn example() -> Self {
        let example = UserInput::example();
        Self {
            id: 4,
            username: example.username,
            role: example.role,
            status: StatusDocument::Active,
            password_change_due: false,
            created_at: datetime!(2026-11-23 12:00 UTC),
            updated_at: datetime!(2026-11-23 12:00 UTC),
        }
    }
}

/// A password to hand to its user, who has to change it before anything else. This answer is the only copy.
#[derive(Serialize, Object)]
#[oai(rename = "OneTimePassword", example)]
pub struct OneTimePasswordDocument {
    /// The password.
    #[oai(validator(min_length = "1", max_length = "128"))]
    password: String,
    /// Until when it can be used to log in.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl From<OneTimePassword> for OneTimePasswordDocument {
    fn from(reset: OneTimePassword) -> Self {
        Self { password: reset.password.expose_secret().to_owned(), expires_at: reset.expires_at }
    }
}

impl Example for OneTimePasswordDocument {
    fn example() -> Self {
        Self { password: "2f1c-9a40-77de-0b6e-51c3-e8d2-04fa-b937".into(), expires_at: datetime!(2026-11-24 12:00 UTC) }
    }
}

/// A piece of the list of users, in order of id.
#[derive(Serialize, Object)]
#[oai(rename = "UserPage", example)]
pub struct PageDocument {
    /// The users of this page.
    #[oai(validator(max_items = "200"))]
    users: Vec<UserDocument>,
    /// The cursor of the next page, for `after`; null on the last page.
    #[oai(nullable)]
    next: Option<String>,
}

impl From<Page<User>> for PageDocument {
    fn from(page: Page<User>) -> Self {
        Self { users: page.entries.into_iter().map(Into::into).collect(), next: page.next.map(|next| next.to_string()) }
    }
}

impl Example for PageDocument {
    fn example() -> Self {
        Self { users: vec![UserDocument::example()], next: Some("0000000000000004".into()) }
    }
}

/// A user to be made.
#[derive(Object)]
#[oai(rename = "UserInput", example, deny_unknown_fields)]
pub struct UserInput {
    /// The name to log in with: no white space or control characters; no other user's in whatever case.
    #[oai(validator(min_length = "1", max_length = "64"))]
    username: String,
    /// The password: 15 characters or more, where this installation asks for nothing else; not a common one, and
    /// without the username in it.
    #[oai(validator(min_length = "8", max_length = "128"))]
    password: String,
    role: RoleDocument,
}

impl Example for UserInput {
    fn example() -> Self {
        Self {
            username: "meera".into(),
            password: "slow river under seven bridges".into(),
            role: RoleDocument::Registrar,
        }
    }
}

/// Stands in for a name that is at fault: a character for private use, which no password is taken to contain.
const NOBODY: &str = "\u{e000}";

/// What a new user is made of.
pub struct ParsedUser {
    pub username: Username,
    pub password: NewPassword,
    pub role: Role,
}

impl Content for UserInput {
    type Parsed = ParsedUser;

    fn parse(fields: &mut Fields) -> Result<ParsedUser, AtFault> {
        let username = fields.required("username", text(|name| name.parse::<Username>()));
        let policy = fields.password_policy();
        let password = fields.required("password", text(|text| new_password(&text, &username, policy)));
        let role = fields.required("role", text(|role| role.parse::<Role>()));
        Ok(ParsedUser { username: username?, password: password?, role: role? })
    }
}

/// The fields to change; those that are absent stay as they are.
#[derive(Object)]
#[oai(rename = "UserPatch", example, deny_unknown_fields)]
pub struct PatchDocument {
    #[oai(skip_serializing_if_is_none)]
    role: Option<RoleDocument>,
    #[oai(skip_serializing_if_is_none)]
    status: Option<StatusDocument>,
}

impl Example for PatchDocument {
    fn example() -> Self {
        Self { role: Some(RoleDocument::Viewer), status: None }
    }
}

impl Content for PatchDocument {
    type Parsed = UserChange;

    const MEDIA_TYPES: &'static [&'static str] = &["application/json", "application/merge-patch+json"];

    fn parse(fields: &mut Fields) -> Result<UserChange, AtFault> {
        let role = fields.change("role", text(|role| role.parse()));
        let status = fields.change("status", text(|status| status.parse()));
        Ok(UserChange { role: role?, status: status?, ..UserChange::default() })
    }
}

/// Judges a password also where the name is at fault, so that both are told at once.
fn new_password(
    password: &str,
    username: &Result<Username, AtFault>,
    policy: PasswordPolicy,
) -> Result<NewPassword, String> {
    match username {
        Ok(username) => NewPassword::parse(password, username, policy).map_err(|rule| rule.to_string()),
        Err(AtFault) => new_password_of_nobody(password, policy),
    }
}

/// Judges a password whose user's name is not known.
pub fn new_password_of_nobody(password: &str, policy: PasswordPolicy) -> Result<NewPassword, String> {
    let nobody = NOBODY.parse().map_err(|rule: UsernameError| rule.to_string())?;
    NewPassword::parse(password, &nobody, policy).map_err(|rule| rule.to_string())
}
