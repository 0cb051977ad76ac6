//! Sessions of the caller: refresh, log out, list, delete.

mod wire;

use domain::SessionId;
use domain::access::{LogOut, OwnSessionsRead, OwnSessionsWrite};
use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::{ApiResponse, OpenApi};

pub use wire::SessionDocument;

use wire::{ParsedRefresh, RefreshRequest};

use super::token::TokenDocument;
use super::{Tag, UseCasesData};
use crate::http::edge::origin;
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{Body, By, FromQuery, PageQuery, Public};
use crate::http::response::{PageResponse, Secret};
use crate::http::wire::Wire;

/// Response to the end of sessions.
#[derive(ApiResponse)]
pub enum Ended {
    /// The affected sessions have ended and their tokens are revoked.
    #[oai(status = 204)]
    Ended,
}

error_set! {
    Refreshing: InvalidRefreshToken, InvalidFields, Unavailable;
    LoggingOut: ;
    Listing: InvalidFields;
    Ending: RecordNotFound;
}

pub struct RefreshApi;

#[OpenApi(tag = "Tag::Sessions")]
impl RefreshApi {
    /// Refresh an access token
    ///
    /// Returns a new access token and a new refresh token. A refresh token can be used once. If it is sent again within 10
    /// seconds, for example because the first response was lost, the response contains the same new refresh token. If it is
    /// sent again later, the session ends, because the token may have been stolen.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn refresh(
        &self,
        _public: Public,
        uses: UseCasesData<'_>,
        request: &Request,
        body: Body<RefreshRequest>,
    ) -> Result<Secret<TokenDocument>, OperationError<Refreshing>> {
        let ParsedRefresh { refresh_token } = body.read().await?;
        let refreshed = uses.refresh.refresh(&refresh_token, origin(request)).await?;
        Ok(TokenDocument::from(&refreshed.grant).into())
    }
}

pub struct LogOutApi;

#[OpenApi(tag = "Tag::Sessions")]
impl LogOutApi {
    /// Log out
    ///
    /// Ends the session of the access token and revokes all of its tokens.
    #[oai(path = "/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, by: By<LogOut>, uses: UseCasesData<'_>) -> Result<Ended, OperationError<LoggingOut>> {
        uses.sessions.log_out(&by).await?;
        Ok(Ended::Ended)
    }
}

pub struct OwnSessionsApi;

#[OpenApi(tag = "Tag::Sessions")]
impl OwnSessionsApi {
    /// List your sessions
    ///
    /// Returns one page of your open sessions, ordered by id, including the current one. `refreshed_at` is the time of
    /// the last refresh; other requests do not change it.
    #[oai(path = "/me/sessions", method = "get", operation_id = "listOwnSessions")]
    async fn list(
        &self,
        by: By<OwnSessionsRead>,
        uses: UseCasesData<'_>,
        query: FromQuery<PageQuery<()>>,
    ) -> Result<PageResponse<SessionDocument>, OperationError<Listing>> {
        let page = uses.sessions.list_own(&by, query.page.clone()).await?;
        Ok(PageResponse::with(page, &query, |session| SessionDocument::new(&session, by.caller())))
    }

    /// Delete one of your sessions
    ///
    /// Ends one of your open sessions, such as that of a lost device, and revokes its tokens.
    #[oai(path = "/me/sessions/:id", method = "delete", operation_id = "deleteOwnSession")]
    async fn delete(
        &self,
        by: By<OwnSessionsWrite>,
        uses: UseCasesData<'_>,
        /// Id of the session.
        id: Path<Wire<SessionId>>,
    ) -> Result<Ended, OperationError<Ending>> {
        uses.sessions.end_own(&by, id.id()?).await?;
        Ok(Ended::Ended)
    }
}
