//! Preflight requests of CORS (Fetch standard, section 3.2.2).

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use poem::http::{HeaderMap, HeaderValue, Method, header};
use poem::{Request, Response};

use super::redacted_path::RedactedPath;
use crate::http::document;

/// Request headers that are allowed in addition to the CORS-safelisted ones.
static ALLOWED: LazyLock<HeaderValue> = LazyLock::new(|| {
    let names: Vec<_> =
        ["Authorization", "Content-Type", "X-Request-Id"].into_iter().chain(document::request_headers()).collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("Authorization"))
});
/// Request headers that are allowed without a permission, if their values are short.
const SAFELISTED: HeaderValue = HeaderValue::from_static("accept, accept-language, content-language, range");
/// Lifetime of a preflight result in seconds. Some browsers limit it to this value.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// Minimum time between two log lines.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum length of a header name in a log line.
const MAX_NAME: usize = 64;
/// Maximum length of an origin in a log line.
const MAX_ORIGIN: usize = 256;

/// A preflight request: it precedes a request with another method, or with other headers, than a form can send.
pub struct Preflight {
    path: String,
    method: HeaderValue,
    headers: Option<HeaderValue>,
}

impl Preflight {
    /// `None` if the request is another one.
    pub fn of(request: &Request) -> Option<Self> {
        let method = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD)?.clone();
        let headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let path = request.uri().path().to_owned();
        (*request.method() == Method::OPTIONS).then_some(Self { path, method, headers })
    }

    /// Adds the headers of a successful response, which has the header `Allow`.
    pub fn allow(response: &mut HeaderMap) {
        if let Some(allow) = response.get(header::ALLOW).cloned() {
            response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED.clone());
            response.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }

    /// The reason why a browser will not send the request that follows; `None` if it will.
    pub fn failure(&self, is_allowed: bool, response: &Response) -> Option<String> {
        if !is_allowed {
            return Some("the origin is not allowed; allow it with --cors-origin".to_owned());
        }
        let allow = response.headers().get(header::ALLOW).filter(|_| response.status().is_success());
        let Some(allow) = allow else { return Some(format!("the response has the status {}", response.status())) };
        // Methods are case-sensitive, and browsers write only some of them in capitals.
        if !allow.to_str().unwrap_or_default().split(", ").any(|method| method.as_bytes() == self.method.as_bytes()) {
            return Some("the path does not support the method".to_owned());
        }
        let requested = self.headers.as_ref().map(|names| String::from_utf8_lossy(names.as_bytes()));
        let requested = requested.as_deref().unwrap_or_default();
        let mut names = requested.split(',').map(str::trim).filter(|name| !name.is_empty());
        let other = names.find(|name| !contains(&ALLOWED, name) && !contains(&SAFELISTED, name))?;
        let other: String = other.chars().take(MAX_NAME).collect();
        Some(format!("the request header {other:?} is not allowed"))
    }
}

/// Returns `true` if a comma-separated list contains the name.
fn contains(list: &HeaderValue, name: &str) -> bool {
    list.to_str().unwrap_or_default().split(", ").any(|listed| listed.eq_ignore_ascii_case(name))
}

/// Logs failed preflight requests, at most one per second: the browser shows the reason only to a developer.
#[derive(Debug, Clone, Default)]
pub struct FailureLog(Arc<Mutex<Option<Instant>>>);

impl FailureLog {
    pub fn log(&self, origin: Option<&HeaderValue>, preflight: &Preflight, failure: Option<String>) {
        let Some(reason) = failure else { return };
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < LOG_INTERVAL) {
            return;
        }
        *last = Some(Instant::now());
        drop(last);
        let origin = origin.and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let origin: String = origin.chars().take(MAX_ORIGIN).collect();
        tracing::info!(origin, path = %RedactedPath(&preflight.path), reason, "a preflight request (CORS) failed");
    }
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;

    use super::*;

    fn failure(method: &str, headers: Option<&str>, is_allowed: bool, allow: Option<&str>) -> String {
        let mut request =
            Request::builder().method(Method::OPTIONS).header(header::ACCESS_CONTROL_REQUEST_METHOD, method).finish();
        request.headers_mut().extend(headers.map(|it| (header::ACCESS_CONTROL_REQUEST_HEADERS, it.parse().unwrap())));
        let mut response = Response::default();
        response.set_status(if allow.is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED });
        response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow.parse().unwrap())));
        Preflight::of(&request).unwrap().failure(is_allowed, &response).unwrap_or_default()
    }

    #[test]
    fn reason_of_failed_preflight_is_stated() {
        let allow = Some("GET, HEAD, OPTIONS, PATCH");
        for headers in [None, Some(""), Some("authorization,content-type"), Some("Accept, If-Match, x-request-id")] {
            assert_eq!(failure("PATCH", headers, true, allow), "", "{headers:?}");
        }
        for (method, headers, is_allowed, allow, reason) in [
            ("PATCH", None, false, allow, "--cors-origin"),
            ("PATCH", None, true, None, "401"),
            ("patch", None, true, allow, "does not support the method"),
            ("PUT", None, true, allow, "does not support the method"),
            ("GET", Some("authorization, x-other"), true, allow, "\"x-other\" is not allowed"),
        ] {
            let failure = failure(method, headers, is_allowed, allow);
            assert!(failure.contains(reason), "{failure:?}");
        }
    }
}
