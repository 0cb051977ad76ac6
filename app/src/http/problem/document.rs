//! A problem as it goes over the wire.

use poem::error::ResponseError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::Object;
use serde::Serialize;

use super::{Kind, Problem};
use crate::http::edge::RequestId;

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which it is worth coming back when something is busy or away.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What is wrong with one field of a body, or with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
pub struct Fault {
    /// Where in the request body the fault is: a JSON Pointer (RFC 6901). Absent when a parameter is at
    /// fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub pointer: Option<String>,
    /// The query parameter that is at fault. Absent when the body is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub parameter: Option<String>,
    /// The rule that is broken.
    pub detail: String,
}

impl Fault {
    /// A fault in the body, at a JSON Pointer.
    pub const fn at(pointer: String, detail: String) -> Self {
        Self { pointer: Some(pointer), parameter: None, detail }
    }

    /// A fault in a query parameter.
    pub fn in_parameter(name: &str, detail: String) -> Self {
        Self { pointer: None, parameter: Some(name.to_owned()), detail }
    }
}

/// What went wrong: problem details (RFC 9457).
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// The kind of problem: a URI reference that stays the same, and at which a page explains it.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status code.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// The same as `detail`, for clients of old.
    pub description: String,
    /// What the log calls this request; also in the `X-Request-Id` header.
    pub request_id: String,
    /// What is wrong with each field, a hundred unknown ones at most. Absent where no field is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[oai(default, skip_serializing_if_is_empty)]
    pub errors: Vec<Fault>,
    /// The same as `detail`, where the clients of old read it under this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub msg: Option<String>,
}

impl Problem {
    /// The answer that tells the problem.
    pub fn into_answer(self, request_id: &RequestId) -> Response {
        let entry = self.kind.entry();
        let detail = self.detail.into_owned();
        let document = ProblemDocument {
            kind: format!("/problems/{}", entry.slug),
            title: entry.title.to_owned(),
            status: entry.status.as_u16(),
            description: detail.clone(),
            request_id: request_id.as_str().to_owned(),
            errors: self.faults,
            msg: (self.kind == Kind::MissingStudentId).then(|| detail.clone()),
            detail,
        };
        // Strings and numbers alone: this cannot fail, and an empty body would still carry the status.
        let mut answer = Response::from(serde_json::to_vec(&document).unwrap_or_default());
        answer.set_status(entry.status);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match entry.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rollbook\""));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        answer
    }
}

/// Lets a problem travel as a `poem::Error`. The edge takes it out again and answers with the request's id:
/// this rendering is the one for an error that has passed no edge.
impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}
