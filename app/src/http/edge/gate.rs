//! The gate: who is asking is settled before anything else about a request is looked at.

use std::sync::Arc;

use domain::audit::{Action, NewEvent, Target};
use domain::quota::Requester;
use domain::token::{Authenticated, AuthenticationError, TokenError};
use poem::error::MethodNotAllowedError;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use super::{accept, client, origin, query};
use crate::http::Services;
use crate::http::access::Access;
use crate::http::document::{Operation, Operations, PathItem};
use crate::http::problem::{Kind, Problem};
use crate::http::rate_limit::RateLimit;

/// Lets nobody in without a good token, but to the public paths, and nobody do what the table of access does not let
/// them.
pub struct Gate<E> {
    inner: E,
    services: Arc<Services>,
    operations: &'static Operations,
}

impl<E> Gate<E> {
    pub fn new(inner: E, services: Arc<Services>) -> Self {
        Self { inner, services, operations: Operations::of_document() }
    }

    async fn judge(&self, request: &Request) -> Result<Authenticated, Problem> {
        match bearer(request.headers()) {
            Credentials::None => Err(Problem::new(Kind::Unauthorized)),
            Credentials::Malformed => Err(AuthenticationError::Token(TokenError::Malformed).into()),
            Credentials::Bearer(token) => Ok(self.services.authenticate.bearer(token, origin(request)).await?),
        }
    }

    /// Tells the audit that somebody may not do something; what is refused often there becomes one event.
    fn note_refusal(&self, caller: &Authenticated, operation: &Operation) {
        let by = caller.principal.at(self.services.clock.now());
        let target = Target::Operation(operation.id.clone());
        self.services.refusals.note(NewEvent::once(&by, Action::AccessRefused, target));
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Gate<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let item = self.operations.at(path);
        if request.method() == Method::OPTIONS
            && let Some(allow) = item.map(|item| item.allow.clone()).or_else(|| of_the_server(path))
        {
            return Ok(Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, allow).finish());
        }
        let operation = item.and_then(|item| item.operation(request.method()));
        self.metered(request, item, operation).await
    }
}

impl<E: Endpoint<Output = Response>> Gate<E> {
    /// Settles who is asking, and counts the request against the quota of whoever it is. Whoever shows no good token is an
    /// address; the pages for people cost nothing.
    async fn metered(
        &self,
        request: Request,
        item: Option<&PathItem>,
        operation: Option<&Operation>,
    ) -> poem::Result<Response> {
        if item.is_some_and(|item| item.is_page) {
            return self.pass(request, item, operation, None).await;
        }
        let caller =
            if item.is_some_and(|item| item.is_public) { Ok(None) } else { self.judge(&request).await.map(Some) };
        let requester = match &caller {
            Ok(Some(caller)) => Requester::User(caller.user.id),
            Ok(None) | Err(_) => Requester::Address(client(&request)),
        };
        let caller = match caller {
            // The store is away: that is nobody's fault, and counts against nobody.
            Err(problem) if problem.status().is_server_error() => return Err(problem.into()),
            other => other,
        };
        let counted = self.services.quotas.take(requester, self.services.clock.now());
        let limit = RateLimit::of_requests(counted.unwrap_or_else(|spent| spent));
        let outcome = match (counted, caller) {
            (Err(spent), _) => Err(Problem::too_many_requests(spent.next_in).into()),
            (Ok(_), Err(problem)) => Err(problem.into()),
            (Ok(_), Ok(caller)) => self.pass(request, item, operation, caller).await,
        };
        limit.told(outcome)
    }

    async fn pass(
        &self,
        mut request: Request,
        item: Option<&PathItem>,
        operation: Option<&Operation>,
        caller: Option<Authenticated>,
    ) -> poem::Result<Response> {
        let public = caller.is_none();
        if let Some(caller) = caller {
            if let Some(operation) = operation {
                may(&caller, operation).inspect_err(|_| self.note_refusal(&caller, operation))?;
            }
            request.set_data(Arc::new(caller));
        }
        if operation.is_some() && !query::is_readable(request.uri().query().unwrap_or_default()) {
            return Err(Problem::new(Kind::MalformedQuery).into());
        }
        if operation.is_some_and(|operation| !accept::accepts(request.headers(), &operation.made)) {
            return Err(Problem::new(Kind::NotAcceptable).into());
        }
        request.set_data(Arc::clone(&self.services));
        let mut answer = self.inner.call(request).await.map_err(|error| match item {
            Some(item) if error.is::<MethodNotAllowedError>() => {
                Problem::new(Kind::MethodNotAllowed).with_header(header::ALLOW, item.allow.clone()).into()
            }
            _ => error,
        })?;
        if !public {
            // One caller's answer is nobody else's, and may be another one next time.
            answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
        }
        Ok(answer)
    }
}

/// Whether the table of access lets a caller do an operation.
fn may(caller: &Authenticated, operation: &Operation) -> Result<(), Problem> {
    match operation.access {
        Some(Access::Anybody | Access::Bearer) => Ok(()),
        Some(Access::Role(needs)) => Ok(caller.principal.needs(needs)?),
        None => Err(Problem::new(Kind::InsufficientRole)),
    }
}

/// `OPTIONS *` asks what the server can do at all (RFC 9110, section 9.3.7).
fn of_the_server(path: &str) -> Option<HeaderValue> {
    (path == "*").then_some(HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"))
}

/// What the `Authorization` header holds.
#[derive(Debug, PartialEq, Eq)]
enum Credentials<'a> {
    /// Nothing, or a scheme that is not ours.
    None,
    /// Our scheme without exactly one token, or the header twice.
    Malformed,
    Bearer(&'a str),
}

/// Reads the bearer token (RFC 6750, section 2.1). The header is the only place where one is looked for, and
/// the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Credentials<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::to_str);
    let value = match (values.next(), values.next()) {
        (None, _) => return Credentials::None,
        (Some(Ok(value)), None) => value,
        _ => return Credentials::Malformed,
    };
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let token = rest.trim_matches(' ');
    match (scheme.eq_ignore_ascii_case("bearer"), token) {
        (false, _) => Credentials::None,
        (true, "") => Credentials::Malformed,
        (true, token) => Credentials::Bearer(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn req_01_the_scheme_is_case_insensitive() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer(&headers(&[value])), Credentials::Bearer("abc"), "{value}");
        }
    }

    #[test]
    fn req_02_no_credentials_are_told_from_bad_ones() {
        assert_eq!(bearer(&headers(&[])), Credentials::None);
        assert_eq!(bearer(&headers(&["Basic abc"])), Credentials::None);
        assert_eq!(bearer(&headers(&["Bearer"])), Credentials::Malformed);
        assert_eq!(bearer(&headers(&["Bearer "])), Credentials::Malformed);
        assert_eq!(bearer(&headers(&["Bearer a", "Bearer b"])), Credentials::Malformed);
    }
}
