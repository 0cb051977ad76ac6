//! Wire format of a problem.

use poem::error::ResponseError;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde_json::json;

use super::{Problem, ProblemType};
use crate::http::edge::RequestId;
use crate::http::wire::{Int, List, Omittable, Text, response};

/// Media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// `Retry-After` of a 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

response! {
    /// An invalid field of a request body, or an invalid query parameter.
    #[derive(Debug)]
    pub struct FieldError as "FieldError" {
        /// Location in the request body: a JSON Pointer (RFC 6901). Absent for a query parameter.
        pointer: Omittable<String> = "/name",
        /// Name of the invalid query parameter. Absent for a field of the body.
        parameter: Omittable<String> = (),
        /// The violated rule.
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
        /// Problem type: a stable URI reference to a page that explains it. Each response in this document lists its types.
        /// Clients must accept unknown types, because later releases can add some.
        problem_type as "type": String = "/problems/invalid-fields",
        /// Short summary of the problem type.
        title: Text = "Invalid Fields",
        /// HTTP status code.
        status: Int<400, 599> = 422,
        /// Explanation of this occurrence.
        detail: String = "Some fields or parameters are invalid; the errors list each one and the violated rule.",
        /// The same as `detail`, for legacy clients.
        description: String = "Some fields or parameters are invalid; the errors list each one and the violated rule.",
        /// Id of the request, as in the `X-Request-Id` header and the server's log.
        request_id: String = "63af6b99-4",
        /// Invalid fields or query parameters, at most 100 of them unknown. Absent if none is invalid.
        errors: Omittable<List<FieldError, 128>> =
            json!([{ "pointer": "/name", "detail": "must not be blank" }]),
        /// The same as `detail`, for legacy clients; only for the type `missing-student-id`.
        msg: Omittable<String> = (),
    }
}

impl Problem {
    /// Converts the problem to a response.
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
        // Serializing strings and numbers cannot fail.
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

/// Allows a problem to be passed as a `poem::Error`. The edge extracts it and writes the response with the request id;
/// `as_response` applies only to errors that do not pass the edge.
impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}
