//! A problem as it goes over the wire.

use poem::error::ResponseError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde_json::json;

use super::{Problem, ProblemType};
use crate::http::edge::RequestId;
use crate::http::wire::{Int, List, Omittable, Text, response};

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which another try is worthwhile when something is busy or away.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

response! {
    /// What is wrong with one field of a body, or with one parameter.
    #[derive(Debug)]
    pub struct FieldError as "FieldError" {
        /// Location in the request body: a JSON Pointer (RFC 6901). Absent if a parameter is invalid.
        pointer: Omittable<String> = "/name",
        /// Name of the invalid query parameter. Absent if the body is invalid.
        parameter: Omittable<String> = (),
        /// The rule that is broken.
        detail: String = "must not be blank",
    }
}

impl FieldError {
    /// An error in the body, at a JSON Pointer.
    pub const fn at(pointer: String, detail: String) -> Self {
        Self { pointer: Omittable(Some(pointer)), parameter: Omittable(None), detail }
    }

    /// An error in a query parameter.
    pub fn in_parameter(name: &str, detail: String) -> Self {
        Self { pointer: Omittable(None), parameter: Omittable(Some(name.to_owned())), detail }
    }
}

response! {
    /// Problem details (RFC 9457).
    pub struct ProblemDocument as "Problem" {
        /// Type of the problem: a URI reference that never changes, and at which a page explains it. Further types can be
        /// added; each response of this document lists those it can have.
        problem_type as "type": String = "/problems/invalid-fields",
        /// The type in a few words.
        title: Text = "Invalid Fields",
        /// HTTP status code.
        status: Int<400, 599> = 422,
        /// What went wrong in this case.
        detail: String = "Some fields break a rule; the errors name each field and its rule.",
        /// The same as `detail`, for legacy clients.
        description: String = "Some fields break a rule; the errors name each field and its rule.",
        /// Id of the request in the server's log; also in the `X-Request-Id` header.
        request_id: String = "63af6b99-4",
        /// What is wrong with each field, at most a hundred unknown ones. Absent unless fields are invalid.
        errors: Omittable<List<FieldError, 128>> =
            json!([{ "pointer": "/name", "detail": "must not be blank" }]),
        /// The same as `detail`, where legacy clients read it under this name.
        msg: Omittable<String> = (),
    }
}

impl Problem {
    /// The response that reports the problem.
    pub fn into_response(self, request_id: &RequestId) -> Response {
        let entry = self.kind.entry();
        let detail = self.detail.into_owned();
        let document = ProblemDocument {
            problem_type: self.kind.uri(),
            title: entry.title,
            status: Int(entry.status.as_u16().into()),
            description: detail.clone(),
            request_id: request_id.as_str().to_owned(),
            errors: Omittable(Some(List(self.errors)).filter(|errors| !errors.0.is_empty())),
            msg: Omittable((self.kind == ProblemType::MissingStudentId).then(|| detail.clone())),
            detail,
        };
        // Strings and numbers only: this cannot fail, and an empty body would still carry the status.
        let mut response = Response::from(serde_json::to_vec(&document).unwrap_or_default());
        response.set_status(entry.status);
        let headers = response.headers_mut();
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
        response
    }
}

/// Lets a problem travel as a `poem::Error`. The edge takes it out again and responds with the request's id: this rendering
/// is the one for an error that has passed no edge.
impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}
