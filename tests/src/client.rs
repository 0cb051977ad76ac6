//! HTTP client of a server, and responses with assertions.

#![expect(clippy::expect_used, reason = "a test panics if it cannot reach its server")]

use std::fmt;

use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::Value;

use crate::recording::RecordedRequest;
use crate::server::ORIGIN;

/// HTTP client of a server, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client of the server at this base URL.
    pub const fn new(http: reqwest::Client, base: String, token: Option<String>) -> Self {
        Self { http, base, token }
    }

    /// The bearer token that this client sends.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request builder with the origin and the token of this client.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.base)).header(header::ORIGIN, ORIGIN);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a `GET` request.
    pub async fn get(&self, path: &str) -> Response {
        Response::fetch(self.request("GET", path)).await
    }

    /// Sends a `DELETE` request.
    pub async fn delete(&self, path: &str) -> Response {
        Response::fetch(self.request("DELETE", path)).await
    }

    /// Sends a request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        Response::fetch(self.request(method, path).json(body)).await
    }
}

/// A complete response.
pub struct Response {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

/// Prints the body as text, up to 1,000 characters.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        let start: String = text.chars().take(1_000).collect();
        let ellipsis = if start.len() < text.len() { " …" } else { "" };
        write!(f, "{} {:?} {start}{ellipsis}", self.status, self.headers)
    }
}

impl Response {
    /// Sends a request, reads the complete response, and records both.
    pub async fn fetch(request: RequestBuilder) -> Self {
        let (http, request) = request.build_split();
        let request = request.expect("a request");
        let recorded = RecordedRequest::of(&request);
        let response = http.execute(request).await.expect("a response");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("a complete response").to_vec();
        if let Some(recorded) = recorded {
            recorded.record(status, &headers, &body);
        }
        Self { status, headers, body }
    }

    /// Parses a response that a test has read as raw text.
    ///
    /// # Panics
    /// If the text is not HTTP.
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a complete head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| {
            let name: header::HeaderName = name.parse().expect("a header name");
            (name, value.trim().parse().expect("a header value"))
        });
        Self { status, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    /// The path of the next page in the `Link` header.
    pub fn next_page(&self) -> Option<String> {
        let link = self.headers.get("link")?.to_str().ok()?;
        link.split(['<', '>']).nth(1).filter(|_| link.ends_with("rel=\"next\"")).map(str::to_owned)
    }

    /// The value of a required header.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().expect("a readable header")
    }

    /// Asserts the status, and returns the body as JSON.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Asserts that this is a well-formed problem (RFC 9457) of this status and type, and returns it.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, slug: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["type"], format!("/problems/{slug}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["description"], problem["detail"]);
        for text in ["title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem
    }
}
