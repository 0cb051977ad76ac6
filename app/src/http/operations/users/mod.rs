//! `/users`: user accounts.

mod sessions;
mod wire;

use domain::UserId;
use domain::access::{Role, UsersRead, UsersWrite};
use domain::session::AuthenticationError;
use domain::user::{Status, UserConflict, UserFilter, Username};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

pub use sessions::UserSessionsApi;
pub use wire::NewPasswordText;

use wire::{OneTimePasswordDocument, UserDocument, UserInput, UserPatchInput};

use super::{Tag, UseCasesData};
use crate::http::conditional::{ReadCondition, WriteConditions};
use crate::http::problem::{OperationError, Problem, ProblemType, error_set};
use crate::http::request::{Body, By, FromQuery, PageQuery, filters};
use crate::http::response::{Created, Deleted, Found, PageResponse, Secret, Updated};
use crate::http::wire::Wire;

filters! {
    UserFilter {
        /// Username of the user. Case is ignored.
        username: Username,
        /// Role of the user.
        role: Role,
        /// Status of the user.
        status: Status,
    }
}

impl From<UserConflict> for Problem {
    fn from(conflict: UserConflict) -> Self {
        match conflict {
            UserConflict::UsernameTaken => Self::new(ProblemType::UsernameTaken),
            UserConflict::LastAdministrator => Self::new(ProblemType::LastAdministrator),
            UserConflict::SessionEnded => AuthenticationError::SessionEnded.into(),
        }
    }
}

error_set! {
    Listing: InvalidFields;
    Creating: UsernameTaken, InvalidFields, Busy, Unavailable;
    Getting: RecordNotFound;
    Changing: RecordNotFound, LastAdministrator, StaleVersion, InvalidFields;
    Deleting: RecordNotFound, LastAdministrator, StaleVersion;
    Resetting: RecordNotFound, Busy, Unavailable;
    Unlocking: RecordNotFound;
}

pub struct UsersApi;

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// List users
    ///
    /// Returns one page of the users, in the order of `sort`. To read all pages, follow `next` (or the `Link` header) until it is
    /// null. With several filters, only users that match all of them are returned.
    #[oai(path = "/users", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        by: By<UsersRead>,
        uses: UseCasesData<'_>,
        query: FromQuery<PageQuery<UserFilter>>,
    ) -> Result<PageResponse<UserDocument>, OperationError<Listing>> {
        let page = uses.records.users.list(&by, &query.filter, query.page.clone()).await?;
        Ok(PageResponse::new(page, &query))
    }

    /// Create a user
    ///
    /// Creates an active user account.
    #[oai(path = "/users", method = "post", operation_id = "createUser")]
    async fn create(
        &self,
        by: By<UsersWrite>,
        uses: UseCasesData<'_>,
        body: Body<UserInput>,
    ) -> Result<Created<UserDocument>, OperationError<Creating>> {
        let new = body.read_with(&uses.accounts.policy).await?;
        Ok(uses.accounts.create(&by, new.username, new.password, new.role).await?.into())
    }

    /// Get a user
    ///
    /// Returns one user. With `If-None-Match`, the response is 304 if the record has not changed.
    #[oai(path = "/users/:id", method = "get", operation_id = "getUser")]
    async fn get(
        &self,
        by: By<UsersRead>,
        uses: UseCasesData<'_>,
        condition: ReadCondition,
        /// Id of the user.
        id: Path<Wire<UserId>>,
    ) -> Result<Found<UserDocument>, OperationError<Getting>> {
        Ok(Found::new(uses.records.users.get(&by, id.id()?).await?, &condition))
    }

    /// Update a user
    ///
    /// Sets the given role and status by JSON Merge Patch (RFC 7396). The media type is `application/json` or
    /// `application/merge-patch+json`. The change applies to the user's next request. The last active administrator cannot be
    /// demoted or disabled. With `If-Match`, the record is updated only if one of the entity tags matches.
    #[oai(path = "/users/:id", method = "patch", operation_id = "updateUser")]
    async fn update(
        &self,
        by: By<UsersWrite>,
        uses: UseCasesData<'_>,
        conditions: WriteConditions,
        /// Id of the user.
        id: Path<Wire<UserId>>,
        body: Body<UserPatchInput>,
    ) -> Result<Updated<UserDocument>, OperationError<Changing>> {
        let (change, id) = (body.read().await?, id.id()?);
        Ok(uses.accounts.update(&by, id, &conditions.for_write(id), change).await?.into())
    }

    /// Delete a user
    ///
    /// Deletes a user permanently and revokes its tokens. The id is never reused. The last active administrator cannot be
    /// deleted. With `If-Match`, the record is deleted only if one of the entity tags matches.
    #[oai(path = "/users/:id", method = "delete", operation_id = "deleteUser")]
    async fn delete(
        &self,
        by: By<UsersWrite>,
        uses: UseCasesData<'_>,
        conditions: WriteConditions,
        /// Id of the user.
        id: Path<Wire<UserId>>,
    ) -> Result<Deleted, OperationError<Deleting>> {
        let id = id.id()?;
        uses.accounts.delete(&by, id, &conditions.for_write(id)).await?;
        Ok(Deleted::Deleted)
    }

    /// Reset a user's password
    ///
    /// Replaces a user's password by a random one-time password and ends the user's sessions. The one-time password is returned
    /// only in this response and expires after 24 hours. With it, the user can only log in and change the password
    /// (`PUT /me/password`).
    #[oai(path = "/users/:id/password-reset", method = "post", operation_id = "resetUserPassword")]
    async fn reset_password(
        &self,
        by: By<UsersWrite>,
        uses: UseCasesData<'_>,
        /// Id of the user.
        id: Path<Wire<UserId>>,
    ) -> Result<Secret<OneTimePasswordDocument>, OperationError<Resetting>> {
        let reset = uses.accounts.reset_password(&by, id.id()?).await?;
        Ok(OneTimePasswordDocument::from(reset).into())
    }

    /// Unlock a user
    ///
    /// Sets the number of a user's failed logins to zero, which ends the login delay or the lock of the account.
    #[oai(path = "/users/:id/unlock", method = "post", operation_id = "unlockUser")]
    async fn unlock(
        &self,
        by: By<UsersWrite>,
        uses: UseCasesData<'_>,
        /// Id of the user.
        id: Path<Wire<UserId>>,
    ) -> Result<Updated<UserDocument>, OperationError<Unlocking>> {
        Ok(uses.accounts.unlock(&by, id.id()?).await?.into())
    }
}
