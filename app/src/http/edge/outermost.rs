//! The outermost layer: every outcome becomes one well-formed response.

use std::error::Error;
use std::iter::successors;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::web::headers::{Date, HeaderMapExt as _};
use poem::{Endpoint, Request, Response};

use super::cross_origin::AllowedOrigins;
use super::deprecation;
use super::forwarded::TrustedProxies;
use super::head;
use super::origin::ClientAddress;
use super::redacted_path::RedactedPath;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::http::document::Operations;
use crate::http::problem::{Problem, ProblemType};

/// Maximum time until the response begins.
const DEADLINE: Duration = Duration::from_secs(30);

/// Finds the operation, assigns the request id, enforces the deadline, catches panics, converts errors to problems, and logs.
pub struct Edge<E> {
    inner: E,
    config: EdgeConfig,
}

/// The proxies and origins that the edge trusts.
#[derive(Debug, Clone, Default)]
pub struct EdgeConfig {
    /// Proxies that may forward the client's address.
    pub proxies: TrustedProxies,
    /// Origins that may read responses.
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
        let received = ReceivedRequest {
            id: RequestId::of(&request),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: proxies.client(&request),
            started: Instant::now(),
        };
        request.set_data(received.id.clone());
        request.set_data(ClientAddress(received.client));
        let prefix = proxies.path_prefix(&request);
        if let Some(prefix) = prefix.clone() {
            request.set_data(prefix);
        }
        let cross_origin = origins.read(&request);
        // hyper omits the body of a response to HEAD and keeps its length (RFC 9110, section 9.3.2).
        if received.method == Method::HEAD {
            request.set_method(Method::GET);
        }
        let found = Operations::of_document().find(request.method(), request.uri().path());
        request.set_data(found);

        let checked = head::check(&request);
        let running = async {
            checked?;
            self.inner.call(request).await
        };
        let running = AssertUnwindSafe(running).catch_unwind();
        let mut response = match tokio::time::timeout(DEADLINE, running).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) if error.is_from_response() => error.into_response(),
            Ok(Ok(Err(error))) => received.reject(error.into()),
            Ok(Err(panic)) => received.reject(Problem::new(ProblemType::Internal).caused_by(message(&*panic))),
            Err(_) => received.reject(Problem::new(ProblemType::DeadlineExceeded)),
        };
        let headers = response.headers_mut();
        headers.typed_insert(date());
        headers.insert(X_REQUEST_ID, received.id.header_value());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if found.operation.is_some_and(|operation| operation.is_deprecated) {
            deprecation::add_headers(headers);
        }
        if let Some(prefix) = prefix {
            prefix.prepend_to_paths(headers);
        }
        cross_origin.complete(&mut response);
        received.log(response.status());
        Ok(response)
    }
}

/// The logged properties of a request. The query is not logged, because it may contain personal data.
struct ReceivedRequest {
    id: RequestId,
    method: Method,
    uri: Uri,
    client: Option<IpAddr>,
    started: Instant,
}

impl ReceivedRequest {
    fn reject(&self, problem: Problem) -> Response {
        let status = problem.status();
        let causes = successors(problem.source(), |&cause| cause.source());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            tracing::warn!(
                request_id = self.id.as_str(),
                method = %self.method,
                path = %RedactedPath(self.uri.path()),
                problem = problem.problem_type().entry().slug,
                cause = causes.join(": "),
                "request failed temporarily"
            );
        } else if status.is_server_error() {
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            tracing::error!(
                request_id = self.id.as_str(),
                method = %self.method,
                path = %RedactedPath(self.uri.path()),
                status = status.as_u16(),
                problem = problem.problem_type().entry().slug,
                cause = causes.join(": "),
                "request failed"
            );
        } else if let Some(cause) = causes.last() {
            tracing::debug!(request_id = self.id.as_str(), status = status.as_u16(), %cause, "request rejected");
        }
        problem.into_response(&self.id)
    }

    fn log(&self, status: StatusCode) {
        tracing::debug!(
            target: "rollbook::access",
            request_id = self.id.as_str(),
            method = %self.method,
            path = %RedactedPath(self.uri.path()),
            status = status.as_u16(),
            client = self.client.map(tracing::field::display),
            // Not u128, which JSON logs write as a string.
            microseconds = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "response sent"
        );
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

/// hyper's own date stays until the clock passes it, also after the clock was set back.
#[expect(clippy::disallowed_methods, reason = "the date is that of the machine, also if the port fails")]
fn date() -> Date {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make;

    use super::*;

    async fn response_from<F>(inner: impl Fn(Request) -> F + Send + Sync) -> Response
    where
        F: Future<Output = poem::Result<Response>> + Send,
    {
        Edge::new(make(inner), EdgeConfig::default())
            .get_response(Request::builder().header(header::HOST, "rollbook").finish())
            .await
    }

    /// REQ 31.
    #[tokio::test]
    async fn panic_is_a_500_problem_without_its_cause() {
        let response = response_from(|_| async { panic!("the database password is hunter2") }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.content_type(), Some("application/problem+json"));
        let body = response.into_body().into_string().await.unwrap();
        assert!(!body.contains("hunter2"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn request_past_its_deadline_is_abandoned() {
        let response = response_from(|_| std::future::pending()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }

    #[tokio::test]
    async fn unforeseen_error_is_a_500_problem_without_its_cause() {
        let response =
            response_from(|_| async { Err(poem::Error::from_string("hunter2", StatusCode::IM_A_TEAPOT)) }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!response.into_body().into_string().await.unwrap().contains("hunter2"));
    }
}
