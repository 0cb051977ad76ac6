//! Sessions: refreshed, listed and ended by their own user.

mod wire;

use domain::SessionId;
use domain::access::{LogOut, OwnSessionsRead, OwnSessionsWrite};
use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::{ApiResponse, OpenApi};

pub use wire::SessionDocument;

use wire::{RefreshRequest, Sent};

use super::token::TokenDocument;
use super::{Tag, Uses};
use crate::http::edge::origin;
use crate::http::problem::{OperationError, error_set};
use crate::http::request::{Body, By, PageQuery, Public};
use crate::http::response::{PageResponse, Secret};
use crate::http::wire::Wire;

/// Success without content.
#[derive(ApiResponse)]
pub enum Ended {
    /// What ended has no valid token any more.
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
    /// Refresh the token
    ///
    /// Accepts the refresh token of the last login or refresh, once, and returns the next access token and refresh token. For
    /// 10 seconds the same refresh token returns the same successor again, in case a response was lost; presented later, it
    /// ends its session, for then a second party has it.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn refresh(
        &self,
        _public: Public,
        uses: Uses<'_>,
        request: &Request,
        body: Body<RefreshRequest>,
    ) -> Result<Secret<TokenDocument>, OperationError<Refreshing>> {
        let Sent { refresh_token } = body.read().await?;
        let refreshed = uses.refresh.refresh(&refresh_token, origin(request)).await?;
        Ok(TokenDocument::from(&refreshed.grant).into())
    }
}

pub struct LogOutApi;

#[OpenApi(tag = "Tag::Sessions")]
impl LogOutApi {
    /// Log out
    ///
    /// Ends the session of the token: its access tokens and its refresh token are invalid at once.
    #[oai(path = "/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, by: By<LogOut>, uses: Uses<'_>) -> Result<Ended, OperationError<LoggingOut>> {
        uses.sessions.log_out(&by).await?;
        Ok(Ended::Ended)
    }
}

pub struct OwnSessionsApi;

#[OpenApi(tag = "Tag::Sessions")]
impl OwnSessionsApi {
    /// List your sessions
    ///
    /// Returns one page of your open sessions in order of id, including the one in use. Using a token writes nothing: a
    /// session was last active at its last refresh or later.
    #[oai(path = "/me/sessions", method = "get", operation_id = "listOwnSessions")]
    async fn list(
        &self,
        by: By<OwnSessionsRead>,
        uses: Uses<'_>,
        query: PageQuery<()>,
    ) -> Result<PageResponse<SessionDocument>, OperationError<Listing>> {
        let page = uses.sessions.list_own(&by, query.page).await?;
        Ok(PageResponse::with(page, &query, |session| SessionDocument::new(&session, by.caller())))
    }

    /// Delete one of your sessions
    ///
    /// Ends one of your open sessions, such as that of a lost device: its tokens are invalid at once.
    #[oai(path = "/me/sessions/:id", method = "delete", operation_id = "deleteOwnSession")]
    async fn delete(
        &self,
        by: By<OwnSessionsWrite>,
        uses: Uses<'_>,
        /// Id of the session.
        id: Path<Wire<SessionId>>,
    ) -> Result<Ended, OperationError<Ending>> {
        uses.sessions.end_own(&by, id.id()?).await?;
        Ok(Ended::Ended)
    }
}
