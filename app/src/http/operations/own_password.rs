//! `PUT /me/password`: one's own password, changed by whoever knows the current one.

use domain::user::{NewPassword, Password};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};

use super::caller::Caller;
use super::sessions::EndAnswer;
use super::users::new_password_of_nobody;
use super::{Tag, Use};
use crate::http::body::{AtFault, Content, Fields, JsonBody, text};
use crate::http::problem::{Fault, Kind, Problem, Refused, refusals};

/// A new password in the place of the current one.
#[derive(Object)]
#[oai(rename = "PasswordChange", example, deny_unknown_fields)]
pub struct PasswordChangeDocument {
    /// The password as it is.
    #[oai(validator(min_length = "1", max_length = "128"))]
    current_password: String,
    /// The password as it is to be: 15 characters or more, where this installation asks for nothing else; not a common
    /// one, not the current one, and without the username in it.
    #[oai(validator(min_length = "8", max_length = "128"))]
    new_password: String,
}

impl Example for PasswordChangeDocument {
    fn example() -> Self {
        Self { current_password: "password".into(), new_password: "slow river under seven bridges".into() }
    }
}

impl Content for PasswordChangeDocument {
    type Parsed = (Password, String);

    const MAX_BYTES: usize = 16 * 1024;

    fn parse(fields: &mut Fields) -> Result<Self::Parsed, AtFault> {
        let policy = fields.password_policy();
        let current = fields.required("current_password", text(|text: String| Password::parse(&text)));
        // Whose it is is not known here: the caller's name in it is found afterwards.
        let new =
            fields.required("new_password", text(|text: String| new_password_of_nobody(&text, policy).map(|_| text)));
        Ok((current?, new?))
    }
}

refusals! {
    /// What a change of one's own password can be refused for.
    ChangingPassword: InvalidFields, TooManyAttempts, AccountLocked, Busy;
}

pub struct OwnPasswordApi;

#[OpenApi(tag = "Tag::Sessions")]
impl OwnPasswordApi {
    /// Change your password
    ///
    /// Puts a new password in the place of the current one, and ends your other sessions. A wrong current password
    /// counts like a failed login.
    #[oai(path = "/me/password", method = "put", operation_id = "changeOwnPassword")]
    async fn change(
        &self,
        caller: Caller,
        uses: Use<'_>,
        body: JsonBody<PasswordChangeDocument>,
    ) -> Result<EndAnswer, Refused<ChangingPassword>> {
        let (current, new) = body.read().await?;
        let bearer = caller.authenticated();
        let new = NewPassword::parse(&new, &bearer.user.username, uses.own_password.policy).map_err(|rule| {
            Problem::new(Kind::InvalidFields).with_faults(vec![Fault::at("/new_password".to_owned(), rule.to_string())])
        })?;
        uses.own_password.change(bearer, current, new).await?;
        Ok(EndAnswer::Ended)
    }
}
