//! `/users/{id}/sessions`: anybody's sessions, for administrators.

use domain::user::UserId;
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::super::answers::PageAnswer;
use super::super::caller::Caller;
use super::super::sessions::{EndAnswer, PageDocument, page_document};
use super::super::{Tag, Use};
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters};
use crate::http::page_link::next_link;
use crate::http::problem::{Kind, Refused, refusals};

refusals! {
    /// What a look at a user's sessions can be refused for.
    Paging: UnknownUser, InvalidFields;
    /// What the end of a user's sessions can be refused for.
    Ending: UnknownUser;
}

pub struct UserSessionsApi;

#[OpenApi(tag = "Tag::Users")]
impl UserSessionsApi {
    /// List a user's sessions
    ///
    /// A page of a user's open sessions in order of id.
    #[oai(path = "/users/:id/sessions", method = "get", operation_id = "listUserSessions")]
    async fn list(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
        /// The most sessions to answer at once.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<Loose<u16>>>,
        /// The `next` of the page before.
        after: Query<Option<Loose<String>>>,
    ) -> Result<PageAnswer<PageDocument>, Refused<Paging>> {
        let by = caller.admin()?;
        let id: UserId = id.0.id(Kind::UnknownUser)?;
        let mut parameters = Parameters::default();
        parameters.known(request, &["limit", "after"]);
        let (size, after) = parameters.page(limit.0.as_ref(), after.0.as_ref());
        parameters.check()?;
        let page = uses.sessions.of(&by, id, after, size).await?;
        let path = PathPrefix::before(request, &format!("/users/{id}/sessions"));
        let link = page.next.map(|next| next_link(&path, next, size, &[]));
        Ok(PageAnswer::Page(JsonAnswer(page_document(&page, caller.authenticated())), link))
    }

    /// End a user's sessions
    ///
    /// Ends all of a user's open sessions: their tokens are refused from now on, and the user has to log in again.
    #[oai(path = "/users/:id/sessions", method = "delete", operation_id = "endUserSessions")]
    async fn end(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The user's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<EndAnswer, Refused<Ending>> {
        let by = caller.admin()?;
        uses.sessions.end_all(&by, id.0.id(Kind::UnknownUser)?).await?;
        Ok(EndAnswer::Ended)
    }
}
