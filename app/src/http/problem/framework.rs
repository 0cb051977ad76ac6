//! Which problem each of the framework's own errors is.

use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError};
use poem::http::StatusCode;

use super::{Kind, Problem};

impl From<poem::Error> for Problem {
    fn from(error: poem::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if error.is::<NotFoundError>() {
            return Self::new(Kind::NotFound);
        }
        // What cannot be decoded in a path names nothing.
        if error.is::<ParsePathError>() || error.is::<poem_openapi::error::ParsePathError>() {
            return Self::new(Kind::NotFound);
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::new(Kind::MethodNotAllowed);
        }
        let kind = match error.status() {
            StatusCode::BAD_REQUEST => Kind::MalformedBody,
            StatusCode::UNAUTHORIZED => Kind::Unauthorized,
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Kind::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            _ => Kind::Internal,
        };
        Self::new(kind).caused_by(error.to_string())
    }
}
