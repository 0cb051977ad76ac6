//! `/users`: who may log in, and what each may do.

mod sessions;
mod wire;

use domain::user::UserId;
use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::{ApiResponse, OpenApi};

pub use sessions::UserSessionsApi;
pub use wire::new_password_of_nobody;

use wire::{OneTimePasswordDocument, PageDocument, PatchDocument, UserDocument, UserInput};

use super::answers::{ChangeAnswer, CreateAnswer, FindAnswer, PageAnswer, RemoveAnswer};
use super::caller::Caller;
use super::{Tag, Use};
use crate::http::body::JsonBody;
use crate::http::conditional::demanded_version;
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters};
use crate::http::page_link::next_link;
use crate::http::problem::{Kind, Refused, refusals};

#[derive(ApiResponse)]
enum ResetAnswer {
    /// The one-time password, told this once.
    #[oai(status = 200)]
    Reset(
        JsonAnswer<OneTimePasswordDocument>,
        /// Always `no-store`: nobody on the way may keep a password.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

refusals! {
    /// What a look at the list of users can be refused for.
    Paging: InvalidFields;
    /// What a new user can be refused for.
    Creating: UsernameTaken, InvalidFields, Busy, Unavailable;
    /// What a look at a user can be refused for.
    Finding: UnknownUser;
    /// What a change of a user can be refused for.
    Changing: UnknownUser, LastAdministrator, StaleVersion, InvalidFields;
    /// What the removal of a user can be refused for.
    Removing: UnknownUser, LastAdministrator, StaleVersion;
    /// What a reset of a password can be refused for.
    Resetting: UnknownUser, Busy, Unavailable;
    /// What the unlocking of an account can be refused for.
    Unlocking: UnknownUser;
}

pub struct UsersApi;

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// List users
    ///
    /// A page of the users in order of id. Follow `next` (or the `Link` header) until it is null to see them
    /// all.
    #[oai(path = "/users", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The most users to answer at once.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<Loose<u16>>>,
        /// The `next` of the page before.
        after: Query<Option<Loose<String>>>,
    ) -> Result<PageAnswer<PageDocument>, Refused<Paging>> {
        let by = caller.admin()?;
        let mut parameters = Parameters::default();
        parameters.known(request, &["limit", "after"]);
        let (size, after) = parameters.page(limit.0.as_ref(), after.0.as_ref());
        parameters.check()?;
        let page = uses.accounts.page(&by, after, size).await?;
        let path = PathPrefix::before(request, "/users");
        let link = page.next.map(|next| next_link(&path, next, size, &[]));
        Ok(PageAnswer::Page(JsonAnswer(page.into()), link))
    }

    /// Create a user
    ///
    /// Makes an active user, who can log in from now on.
    #[oai(path = "/users", method = "post", operation_id = "createUser")]
    async fn create(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        body: JsonBody<UserInput>,
    ) -> Result<CreateAnswer<UserDocument>, Refused<Creating>> {
        let by = caller.admin()?;
        let new = body.read().await?;
        let made = uses.accounts.add(&by, new.username, new.password, new.role).await?;
        let location = PathPrefix::before(request, &format!("/users/{}", made.id));
        Ok(CreateAnswer::new(made, location))
    }

    /// Get a user
    ///
    /// One user. With `If-None-Match` the answer is 304 while nothing has changed.
    #[oai(path = "/users/:id", method = "get", operation_id = "getUser")]
    async fn find(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<FindAnswer<UserDocument>, Refused<Finding>> {
        let by = caller.admin()?;
        let found = uses.accounts.find(&by, id.0.id(Kind::UnknownUser)?).await?;
        Ok(FindAnswer::new(found, request.headers()))
    }

    /// Change a user
    ///
    /// Sets the role and the status that are given, by JSON Merge Patch (RFC 7396), also as
    /// `application/merge-patch+json`. It counts from the user's next request on. The last active administrator
    /// stays one. With `If-Match` only while nobody else has changed the user.
    #[oai(path = "/users/:id", method = "patch", operation_id = "patchUser")]
    async fn patch(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
        body: JsonBody<PatchDocument>,
    ) -> Result<ChangeAnswer<UserDocument>, Refused<Changing>> {
        let by = caller.admin()?;
        let change = body.read().await?;
        let id: UserId = id.0.id(Kind::UnknownUser)?;
        let seen = demanded_version(request.headers(), id, uses.accounts.find(&by, id)).await?;
        Ok(uses.accounts.change(&by, id, seen, change).await?.into())
    }

    /// Remove a user
    ///
    /// Removes a user for good, whose tokens are refused from now on: the id is never used again. The last
    /// active administrator stays. With `If-Match` only while nobody else has changed the user.
    #[oai(path = "/users/:id", method = "delete", operation_id = "removeUser")]
    async fn remove(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<RemoveAnswer, Refused<Removing>> {
        let by = caller.admin()?;
        let id: UserId = id.0.id(Kind::UnknownUser)?;
        let seen = demanded_version(request.headers(), id, uses.accounts.find(&by, id)).await?;
        uses.accounts.remove(&by, id, seen).await?;
        Ok(RemoveAnswer::Removed)
    }

    /// Reset a user's password
    ///
    /// Puts a random one-time password in the place of a user's own, and ends the user's sessions. It is told this
    /// once, is good for 24 hours, and has to be changed with `PUT /me/password` before anything else.
    #[oai(path = "/users/:id/password-reset", method = "post", operation_id = "resetUserPassword")]
    async fn reset_password(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<ResetAnswer, Refused<Resetting>> {
        let by = caller.admin()?;
        let reset = uses.accounts.reset_password(&by, id.0.id(Kind::UnknownUser)?).await?;
        Ok(ResetAnswer::Reset(JsonAnswer(reset.into()), "no-store".to_owned()))
    }

    /// Unlock a user
    ///
    /// Forgets a user's failed logins, so that the next one may be tried at once, also where they had locked the
    /// account.
    #[oai(path = "/users/:id/unlock", method = "post", operation_id = "unlockUser")]
    async fn unlock(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<ChangeAnswer<UserDocument>, Refused<Unlocking>> {
        let by = caller.admin()?;
        Ok(uses.accounts.unlock(&by, id.0.id(Kind::UnknownUser)?).await?.into())
    }
}
