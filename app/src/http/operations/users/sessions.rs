//! `/users/{id}/sessions`: the sessions of any user, for administrators.

use domain::UserId;
use domain::access::{SessionsRead, SessionsWrite};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::super::sessions::{Ended, SessionDocument};
use super::super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{By, FromQuery, PageQuery};
use crate::http::response::PageResponse;
use crate::http::wire::Wire;

error_set! {
    Listing: RecordNotFound, InvalidFields;
    Deleting: RecordNotFound;
}

pub struct UserSessionsApi;

#[OpenApi(tag = "Tag::Users")]
impl UserSessionsApi {
    /// List a user's sessions
    ///
    /// Returns one page of a user's open sessions, ordered by id.
    #[oai(path = "/users/:id/sessions", method = "get", operation_id = "listUserSessions")]
    async fn list(
        &self,
        by: By<SessionsRead>,
        uses: UseCasesData<'_>,
        /// Id of the user.
        id: Path<Wire<UserId>>,
        query: FromQuery<PageQuery<()>>,
    ) -> Result<PageResponse<SessionDocument>, OperationError<Listing>> {
        let page = uses.sessions.list_of_user(&by, id.id()?, query.page.clone()).await?;
        Ok(PageResponse::with(page, &query, |session| SessionDocument::new(&session, by.caller())))
    }

    /// Delete a user's sessions
    ///
    /// Ends all open sessions of a user and revokes their tokens. The user has to log in again.
    #[oai(path = "/users/:id/sessions", method = "delete", operation_id = "deleteUserSessions")]
    async fn delete(
        &self,
        by: By<SessionsWrite>,
        uses: UseCasesData<'_>,
        /// Id of the user.
        id: Path<Wire<UserId>>,
    ) -> Result<Ended, OperationError<Deleting>> {
        uses.sessions.end_all(&by, id.id()?).await?;
        Ok(Ended::Ended)
    }
}
