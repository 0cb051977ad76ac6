//! Error types of operations: declare in the API document which problems an operation returns.

use std::marker::PhantomData;

use derive_where::derive_where;
use poem::http::StatusCode;
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

use super::{PROBLEM_JSON, Problem, ProblemDocument, ProblemType};
use crate::http::wire::Described as _;

/// Set of problems that an operation itself returns. The problems that `edge` or the body parser return (such as 401, 403, 406,
/// 408, 413, 415, 500, 503) are added to the operations in `document::pass`.
pub trait ErrorSet {
    const TYPES: &'static [ProblemType];
}

/// Declares sets of problems: `error_set! { Changing: RecordNotFound, StaleVersion; }`.
macro_rules! error_set {
    ($($(#[$doc:meta])* $name:ident: $($problem_type:ident),*;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::http::problem::ErrorSet for $name {
            const TYPES: &'static [$crate::http::problem::ProblemType] =
                &[$($crate::http::problem::ProblemType::$problem_type),*];
        }
    )+};
}
pub(crate) use error_set;

/// Error of an operation: a problem of `R` or one that every operation can return.
#[derive_where(Debug)]
pub struct OperationError<R> {
    problem: Box<Problem>,
    error_set: PhantomData<fn() -> R>,
}

impl<R: ErrorSet, E: Into<Problem>> From<E> for OperationError<R> {
    fn from(error: E) -> Self {
        Self { problem: Box::new(error.into()), error_set: PhantomData }
    }
}

impl<R> From<OperationError<R>> for poem::Error {
    fn from(error: OperationError<R>) -> Self {
        (*error.problem).into()
    }
}

impl<R: ErrorSet> ApiResponse for OperationError<R> {
    /// Lists the problems by status; `document::pass` adds their descriptions.
    fn meta() -> MetaResponses {
        let mut statuses: Vec<StatusCode> = R::TYPES.iter().map(|problem_type| problem_type.entry().status).collect();
        statuses.sort();
        statuses.dedup();
        let responses = statuses.into_iter().map(|status| {
            let entries = R::TYPES.iter().map(|problem_type| problem_type.entry());
            let entries = entries.filter(|entry| entry.status == status);
            response(status, entries.map(|entry| entry.slug.into()).collect())
        });
        MetaResponses { responses: responses.collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemDocument::register(registry);
    }
}

/// Response with one of these problems. The slugs go into the schema, because poem-openapi has no other place for them.
fn response(status: StatusCode, slugs: Vec<Value>) -> MetaResponse {
    let schema =
        MetaSchema { enum_items: slugs, all_of: vec![ProblemDocument::schema_ref()], ..MetaSchema::new("object") };
    let schema = MetaSchemaRef::Inline(Box::new(schema));
    MetaResponse {
        description: "",
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![MetaMediaType { content_type: PROBLEM_JSON, schema }],
        headers: Vec::new(),
    }
}
