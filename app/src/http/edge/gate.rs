//! Authentication, quotas and permissions: checked before the rest of a request is read.

use std::sync::Arc;

use domain::Target;
use domain::audit::{Action, NewEvent};
use domain::quota::Requester;
use domain::session::{Authenticated, AuthenticationError};
use domain::token::TokenError;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use super::{accept, client, origin, query};
use crate::http::UseCases;
use crate::http::access::Access;
use crate::http::document::{Found, Operation};
use crate::http::problem::{Problem, ProblemType};
use crate::http::rate_limit::RateLimit;

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Requires a valid token, except on public paths, and the operation's permission.
pub struct Gate<E> {
    inner: E,
    use_cases: Arc<UseCases>,
}

impl<E> Gate<E> {
    pub const fn new(inner: E, use_cases: Arc<UseCases>) -> Self {
        Self { inner, use_cases }
    }

    async fn authenticate(&self, request: &Request) -> Result<Authenticated, Problem> {
        match bearer(request.headers()) {
            Credentials::None => Err(Problem::new(ProblemType::Unauthorized)),
            Credentials::Malformed => Err(AuthenticationError::Token(TokenError::Malformed).into()),
            Credentials::Bearer(token) => Ok(self.use_cases.authenticate.active_user(token, origin(request)).await?),
        }
    }

    /// Records a denied operation for the audit log. Repeated denials become one event.
    fn log_denial(&self, caller: &Authenticated, operation: &Operation) {
        let by = caller.principal.at(self.use_cases.clock.now());
        let target = Target::operation(&operation.id);
        self.use_cases.denied_access.record(NewEvent::once(&by, Action::ACCESS_DENIED, target));
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Gate<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let found = request.data::<Found>().copied().unwrap_or_default();
        if request.method() == Method::OPTIONS
            && let Some(response) = options(found, request.uri().path())
        {
            return Ok(response);
        }
        if found.item.is_some_and(|item| !item.is_metered) {
            return self.forward(request, found, None).await;
        }
        self.call_with_quota(request, found).await
    }
}

impl<E: Endpoint<Output = Response>> Gate<E> {
    /// Authenticates the caller, and counts the request against the caller's quota, or without a valid token against the
    /// quota of the address.
    async fn call_with_quota(&self, request: Request, found: Found) -> poem::Result<Response> {
        let is_public = found.item.is_some_and(|item| item.is_public);
        let caller = if is_public { Ok(None) } else { self.authenticate(&request).await.map(Some) };
        let requester = match &caller {
            Ok(Some(caller)) => Requester::User(caller.user.id),
            Ok(None) | Err(_) => Requester::Address(client(&request)),
        };
        let caller = match caller {
            // The error is not caused by the client, so the request is not counted.
            Err(problem) if problem.status().is_server_error() => return Err(problem.into()),
            other => other,
        };
        let counted = self.use_cases.quotas.take(requester);
        let limit = RateLimit::of_requests(counted.unwrap_or_else(|spent| spent));
        let outcome = match (counted, caller) {
            (Err(spent), _) => Err(Problem::too_many_requests(spent.next_in).into()),
            (Ok(_), Err(problem)) => Err(problem.into()),
            (Ok(_), Ok(caller)) => self.forward(request, found, caller).await,
        };
        limit.add_to(outcome)
    }

    async fn forward(
        &self,
        mut request: Request,
        found: Found,
        caller: Option<Authenticated>,
    ) -> poem::Result<Response> {
        let is_public = caller.is_none();
        if let (Some(caller), Some(operation)) = (&caller, found.operation) {
            authorize(caller, operation).inspect_err(|_| self.log_denial(caller, operation))?;
        }
        check_request(&request, found)?;
        if let Some(caller) = caller {
            request.set_data(Arc::new(caller));
        }
        request.set_data(Arc::clone(&self.use_cases));
        let mut response = self.inner.call(request).await?;
        if !is_public {
            // The response depends on the caller.
            let headers = response.headers_mut();
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
        }
        Ok(response)
    }
}

/// Rejects paths and methods that the document does not list, malformed queries, and requests that accept no media type of
/// the operation.
fn check_request(request: &Request, found: Found) -> Result<(), Problem> {
    let item = found.item.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let operation = found
        .operation
        .ok_or_else(|| Problem::new(ProblemType::MethodNotAllowed).with_header(header::ALLOW, item.allow.clone()))?;
    if !query::is_well_formed(request.uri().query().unwrap_or_default()) {
        return Err(Problem::new(ProblemType::MalformedQuery));
    }
    if !accept::accepts(request.headers(), &operation.media_types) {
        return Err(Problem::new(ProblemType::NotAcceptable));
    }
    Ok(())
}

/// Checks that the caller has the permission that the operation requires.
fn authorize(caller: &Authenticated, operation: &Operation) -> Result<(), Problem> {
    match operation.access {
        Access::Public | Access::Unmetered => Ok(()),
        Access::Permission(entry) => Ok(caller.principal.check(entry.requirement)?),
    }
}

/// The response to OPTIONS (RFC 9110, section 9.3.7; RFC 5789, section 3.1).
fn options(found: Found, path: &str) -> Option<Response> {
    let allow = found.item.map(|item| item.allow.clone()).or_else(|| server_methods(path))?;
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, allow);
    if let Some(media_types) = found.item.and_then(|item| item.accept_patch.clone()) {
        response = response.header(ACCEPT_PATCH, media_types);
    }
    Some(response.finish())
}

/// The methods of the server as a whole, for `OPTIONS *` (RFC 9110, section 9.3.7).
fn server_methods(path: &str) -> Option<HeaderValue> {
    (path == "*").then_some(HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"))
}

/// The content of the `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
enum Credentials<'a> {
    /// No header, or a scheme other than `Bearer`.
    None,
    /// The scheme without a token, a value that is not ASCII text, or several headers.
    Malformed,
    Bearer(&'a str),
}

/// Reads the bearer token from the `Authorization` header (RFC 6750, section 2.1), the only supported method.
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
    fn scheme_is_case_insensitive() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer(&headers(&[value])), Credentials::Bearer("abc"), "{value}");
        }
    }

    #[test]
    fn missing_credentials_differ_from_malformed_ones() {
        assert_eq!(bearer(&headers(&[])), Credentials::None);
        assert_eq!(bearer(&headers(&["Basic abc"])), Credentials::None);
        assert_eq!(bearer(&headers(&["Bearer"])), Credentials::Malformed);
        assert_eq!(bearer(&headers(&["Bearer "])), Credentials::Malformed);
        assert_eq!(bearer(&headers(&["Bearer a", "Bearer b"])), Credentials::Malformed);
    }
}
