//! The outermost layer: whatever happens inside, one well-formed answer comes out.

use std::error::Error;
use std::iter::successors;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::{Endpoint, Request, Response};

use super::cross_origin::AllowedOrigins;
use super::deprecation;
use super::forwarded::TrustedProxies;
use super::logged_path::LoggedPath;
use super::origin::ClientAddress;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::http::document::Operations;
use crate::http::problem::{Problem, ProblemType};

/// How long a request may take until its answer begins.
const DEADLINE: Duration = Duration::from_secs(30);

/// Finds the request's operation, names the request, bounds its time, catches panics, renders every error as a problem, and
/// logs.
pub struct Edge<E> {
    inner: E,
    config: EdgeConfig,
}

/// Which proxies and which origins the edge trusts.
#[derive(Debug, Clone, Default)]
pub struct EdgeConfig {
    /// Who may say for whom a request is made.
    pub proxies: TrustedProxies,
    /// Whose pages may read answers.
    pub origins: AllowedOrigins,
}

impl<E> Edge<E> {
    pub const fn new(inner: E, config: EdgeConfig) -> Self {
        Self { inner, config }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let EdgeConfig { proxies, origins } = &self.config;
        let seen = Seen {
            id: RequestId::of(&request),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: proxies.client(&request),
            begun: Instant::now(),
        };
        request.set_data(seen.id.clone());
        request.set_data(ClientAddress(seen.client));
        let prefix = proxies.path_prefix(&request);
        let origin = origins.allowed(request.headers());
        // The server leaves the body out of an answer to HEAD and keeps its length (RFC 9110, section 9.3.2).
        if seen.method == Method::HEAD {
            request.set_method(Method::GET);
        }
        let found = Operations::of_document().find(request.method(), request.uri().path());
        request.set_data(found);

        let running = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let mut answer = match tokio::time::timeout(DEADLINE, running).await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(error))) if error.is_from_response() => error.into_response(),
            Ok(Ok(Err(error))) => seen.refuse(error.into()),
            Ok(Err(panic)) => seen.refuse(Problem::new(ProblemType::Internal).caused_by(message(&*panic))),
            Err(_) => seen.refuse(Problem::new(ProblemType::DeadlineExceeded)),
        };
        let headers = answer.headers_mut();
        headers.insert(X_REQUEST_ID, seen.id.header_value());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        origins.tell(origin, headers);
        if found.operation.is_some_and(|operation| operation.is_deprecated) {
            deprecation::announce(headers);
        }
        if let Some(prefix) = prefix {
            prefix.put_before_paths(headers);
        }
        seen.log(answer.status());
        Ok(answer)
    }
}

/// What the log tells of a request. The query is not among it: people put names and worse there.
struct Seen {
    id: RequestId,
    method: Method,
    uri: Uri,
    client: Option<IpAddr>,
    begun: Instant,
}

impl Seen {
    fn refuse(&self, problem: Problem) -> Response {
        let status = problem.status();
        let causes = successors(problem.source(), |&cause| cause.source());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            tracing::warn!(
                request_id = self.id.as_str(),
                method = %self.method,
                path = %LoggedPath(self.uri.path()),
                problem = problem.problem_type().entry().slug,
                cause = causes.join(": "),
                "request put off"
            );
        } else if status.is_server_error() {
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            tracing::error!(
                request_id = self.id.as_str(),
                method = %self.method,
                path = %LoggedPath(self.uri.path()),
                status = status.as_u16(),
                problem = problem.problem_type().entry().slug,
                cause = causes.join(": "),
                "request failed"
            );
        } else if let Some(cause) = causes.last() {
            tracing::debug!(request_id = self.id.as_str(), status = status.as_u16(), %cause, "request refused");
        }
        problem.into_response(&self.id)
    }

    fn log(&self, status: StatusCode) {
        tracing::debug!(
            target: "rollbook::access",
            request_id = self.id.as_str(),
            method = %self.method,
            path = %LoggedPath(self.uri.path()),
            status = status.as_u16(),
            client = self.client.map(tracing::field::display),
            microseconds = self.begun.elapsed().as_micros(),
            "answered"
        );
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make;

    use super::*;

    async fn answer_of<F>(inner: impl Fn(Request) -> F + Send + Sync) -> Response
    where
        F: Future<Output = poem::Result<Response>> + Send,
    {
        Edge::new(make(inner), EdgeConfig::default()).get_response(Request::default()).await
    }

    #[tokio::test]
    async fn panic_is_a_500_problem_without_its_cause() {
        let answer = answer_of(|_| async { panic!("the database password is hunter2") }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.content_type(), Some("application/problem+json"));
        let body = answer.into_body().into_string().await.unwrap();
        assert!(!body.contains("hunter2"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn request_past_its_deadline_is_abandoned() {
        let answer = answer_of(|_| std::future::pending()).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }

    #[tokio::test]
    async fn unforeseen_error_is_a_500_problem_without_its_cause() {
        let answer = answer_of(|_| async { Err(poem::Error::from_string("hunter2", StatusCode::IM_A_TEAPOT)) }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.into_body().into_string().await.unwrap().contains("hunter2"));
    }
}
