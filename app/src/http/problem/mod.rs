//! Problem details (RFC 9457), the format of every error response.

mod document;
mod framework;
mod from_domain;
mod operation_error;
mod pages;
mod types;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use domain::Kind;
use poem::http::{HeaderName, HeaderValue, StatusCode};

pub use document::{FieldError, PROBLEM_JSON, ProblemDocument};
pub(crate) use operation_error::error_set;
pub use operation_error::{ErrorSet, OperationError};
pub use pages::{explanation, is_public};
pub use types::{Entry, ProblemType};

/// A response with status 400 or above, before it is written.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemType,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with the default detail of its type.
    pub fn new(problem_type: ProblemType) -> Self {
        let detail = Cow::Borrowed(problem_type.entry().detail);
        Self { kind: problem_type, detail, errors: Vec::new(), headers: Vec::new(), cause: None }
    }

    /// No record of this kind has the id.
    pub fn record_not_found<K: Kind>() -> Self {
        Self::new(ProblemType::RecordNotFound).with_detail(format!("No {} has this id.", K::NAME))
    }

    /// Replaces the default detail by a more specific one.
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Sets the errors of invalid fields.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a header to the response.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Appends to a list-valued header (RFC 9110, section 5.6.1), or adds the header.
    pub fn with_listed(mut self, name: HeaderName, value: HeaderValue) -> Self {
        match self.headers.iter_mut().find(|(present, _)| *present == name) {
            Some((_, list)) => *list = listed(list, &value),
            None => self.headers.push((name, value)),
        }
        self
    }

    /// Sets the cause, which is logged and never part of the response.
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub const fn problem_type(&self) -> ProblemType {
        self.kind
    }

    #[cfg(test)]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    pub fn status(&self) -> StatusCode {
        self.kind.entry().status
    }
}

/// Value of a list-valued header with one more member.
pub fn listed(list: &HeaderValue, member: &HeaderValue) -> HeaderValue {
    let joined = [list.as_bytes(), b", ", member.as_bytes()].concat();
    HeaderValue::from_bytes(&joined).unwrap_or_else(|_| member.clone())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
