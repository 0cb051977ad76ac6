//! Maps errors of poem to problems.

use poem::error::ParsePathError;
use poem::http::StatusCode;

use super::{Problem, ProblemType};

impl From<poem::Error> for Problem {
    fn from(error: poem::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        // A path that cannot be decoded identifies no resource.
        if error.is::<ParsePathError>() || error.is::<poem_openapi::error::ParsePathError>() {
            return Self::new(ProblemType::NotFound);
        }
        let problem_type = match error.status() {
            StatusCode::BAD_REQUEST => ProblemType::MalformedBody,
            StatusCode::UNAUTHORIZED => ProblemType::Unauthorized,
            StatusCode::NOT_FOUND => ProblemType::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ProblemType::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => ProblemType::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemType::UnsupportedMediaType,
            _ => ProblemType::Internal,
        };
        Self::new(problem_type).caused_by(error.to_string())
    }
}
