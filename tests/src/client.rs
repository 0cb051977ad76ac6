//! A client of one server, and answers that can be asserted on.

#![expect(clippy::expect_used, reason = "a test that cannot ask its server panics")]

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
    /// A client of the server at `base`.
    pub const fn new(http: reqwest::Client, base: String, token: Option<String>) -> Self {
        Self { http, base, token }
    }

    /// The token that this client shows.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request in the making.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.base)).header(header::ORIGIN, ORIGIN);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Response {
        Response::to(self.request("GET", path)).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Response {
        Response::to(self.request("DELETE", path)).await
    }

    /// A request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        Response::to(self.request(method, path).json(body)).await
    }
}

/// An answer, read to its end.
pub struct Response {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

/// As people read it: the body as text, and not all of a long one.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        let shown: String = text.chars().take(1_000).collect();
        let all = if shown.len() < text.len() { " …" } else { "" };
        write!(f, "{} {:?} {shown}{all}", self.status, self.headers)
    }
}

impl Response {
    /// Sends a request, reads the whole answer, and leaves both in the record.
    pub async fn to(request: RequestBuilder) -> Self {
        let (http, request) = request.build_split();
        let request = request.expect("a request");
        let asked = RecordedRequest::by(&request);
        let answer = http.execute(request).await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.expect("a whole answer").to_vec();
        if let Some(asked) = asked {
            asked.answered(status, &headers, &body);
        }
        Self { status, headers, body }
    }

    /// Reads an answer whose bytes a test has read by itself.
    ///
    /// # Panics
    /// Where the text is not HTTP.
    pub fn of_text(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| {
            let name: header::HeaderName = name.parse().expect("a header's name");
            (name, value.trim().parse().expect("a header's value"))
        });
        Self { status, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    /// Where the `Link` header says that the next page is.
    pub fn next_page(&self) -> Option<String> {
        let link = self.headers.get("link")?.to_str().ok()?;
        link.split(['<', '>']).nth(1).filter(|_| link.ends_with("rel=\"next\"")).map(str::to_owned)
    }

    /// A header that must be there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().expect("a readable header")
    }

    /// Asserts the status, and answers the body as JSON.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Asserts that this is a well-formed problem of this status and type (RFC 9457), and answers it.
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
