//! Sessions: refreshed, listed and ended by whoever bears them.

mod wire;

use domain::session::SessionId;
use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::{ApiResponse, OpenApi};

pub use wire::{PageDocument, page_document};

use wire::RefreshDocument;

use super::answers::PageAnswer;
use super::caller::Caller;
use super::grant::TokenDocument;
use super::{Tag, Use};
use crate::http::body::JsonBody;
use crate::http::edge::{PathPrefix, origin};
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters};
use crate::http::page_link::next_link;
use crate::http::problem::{Kind, Refused, refusals};

#[derive(ApiResponse)]
enum RefreshedAnswer {
    /// The session goes on: the next token and the next refresh token.
    #[oai(status = 200)]
    Token(
        JsonAnswer<TokenDocument>,
        /// Always `no-store`: nobody on the way may keep a token (RFC 6749, section 5.1).
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// Nothing more to say.
#[derive(ApiResponse)]
pub enum EndAnswer {
    /// The tokens of what has ended are refused from now on.
    #[oai(status = 204)]
    Ended,
}

refusals! {
    /// What a refresh can be refused for.
    Refreshing: InvalidRefreshToken, InvalidFields, Unavailable;
    /// What a logout can be refused for.
    LoggingOut: ;
    /// What a look at sessions can be refused for.
    Paging: InvalidFields;
    /// What the end of a session can be refused for.
    Ending: UnknownSession;
}

pub struct SessionsApi;

#[OpenApi(tag = "Tag::Sessions")]
impl SessionsApi {
    /// Refresh the token
    ///
    /// Takes the refresh token of the last login or refresh, once, and answers the next token and the next refresh
    /// token. For 10 seconds the same refresh token is answered the same successor again, so that a lost answer is no
    /// loss; shown again later, it ends its session, for then somebody else has it too.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn refresh(
        &self,
        uses: Use<'_>,
        request: &Request,
        body: JsonBody<RefreshDocument>,
    ) -> Result<RefreshedAnswer, Refused<Refreshing>> {
        let token = body.read().await?;
        let refreshed = uses.refresh.refresh(&token, origin(request)).await?;
        let token = TokenDocument::from(&refreshed.grant);
        Ok(RefreshedAnswer::Token(JsonAnswer(token), "no-store".to_owned()))
    }

    /// Log out
    ///
    /// Ends the session that the token was made for: the token and its refresh token are refused from now on.
    #[oai(path = "/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, caller: Caller, uses: Use<'_>) -> Result<EndAnswer, Refused<LoggingOut>> {
        uses.sessions.log_out(caller.authenticated()).await?;
        Ok(EndAnswer::Ended)
    }

    /// List your sessions
    ///
    /// A page of your open sessions in order of id, the one in use among them. Using a token writes nothing: a session
    /// was last active at its last refresh, or later.
    #[oai(path = "/me/sessions", method = "get", operation_id = "listOwnSessions")]
    async fn own(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The most sessions to answer at once.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<Loose<u16>>>,
        /// The `next` of the page before.
        after: Query<Option<Loose<String>>>,
    ) -> Result<PageAnswer<PageDocument>, Refused<Paging>> {
        let mut parameters = Parameters::default();
        parameters.known(request, &["limit", "after"]);
        let (size, after) = parameters.page(limit.0.as_ref(), after.0.as_ref());
        parameters.check()?;
        let page = uses.sessions.own(caller.authenticated(), after, size).await?;
        let path = PathPrefix::before(request, "/me/sessions");
        let link = page.next.map(|next| next_link(&path, next, size, &[]));
        Ok(PageAnswer::Page(JsonAnswer(page_document(&page, caller.authenticated())), link))
    }

    /// End one of your sessions
    ///
    /// Ends one of your open sessions, such as that of a device that was lost: its tokens are refused from now on.
    #[oai(path = "/me/sessions/:id", method = "delete", operation_id = "endOwnSession")]
    async fn end(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The session's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<EndAnswer, Refused<Ending>> {
        let id: SessionId = id.0.id(Kind::UnknownSession)?;
        uses.sessions.end_own(caller.authenticated(), id).await?;
        Ok(EndAnswer::Ended)
    }
}
