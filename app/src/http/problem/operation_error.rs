//! How an operation says which problems it can answer, for the document.

use std::marker::PhantomData;

use derive_where::derive_where;
use poem::http::StatusCode;
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

use super::{PROBLEM_JSON, Problem, ProblemDocument, ProblemType};
use crate::http::wire::Described as _;

/// A set of problems that an operation itself can answer. What the edge answers in its place (401, 403, 406,
/// 408, 413, 415, 500, 503 and the like) is added to every operation by the document's own pass.
pub trait ErrorSet {
    const TYPES: &'static [ProblemType];
}

/// Names sets of problems: `error_set! { Reading: InsufficientRole, UnknownStudent; }`.
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

/// A problem that an operation answers, one of `R`'s or one that any operation can meet.
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
    fn from(refused: OperationError<R>) -> Self {
        (*refused.problem).into()
    }
}

impl<R: ErrorSet> ApiResponse for OperationError<R> {
    /// Which problems there are; the document's pass writes what it has to say of each.
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

/// An answer that tells one of these problems: poem-openapi has no place for their names but a schema.
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
