//! How an operation says which problems it can answer, for the document.

use std::fmt;
use std::marker::PhantomData;

use poem::http::StatusCode;
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type as _;
use serde_json::Value;

use super::{Kind, PROBLEM_JSON, Problem, ProblemDocument};

/// A set of problems that an operation itself can answer. What the edge answers in its place (401, 403, 406,
/// 408, 413, 415, 500, 503 and the like) is added to every operation by the document's own pass.
pub trait Refusals {
    const KINDS: &'static [Kind];
}

/// Names sets of problems: `refusals! { Reading: InsufficientRole, UnknownStudent; }`.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $($kind:ident),*;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::http::problem::Refusals for $name {
            const KINDS: &'static [$crate::http::problem::Kind] = &[$($crate::http::problem::Kind::$kind),*];
        }
    )+};
}
pub(crate) use refusals;

/// A problem that an operation answers, one of `R`'s or one that any operation can meet.
pub struct Refused<R> {
    problem: Box<Problem>,
    refusals: PhantomData<fn() -> R>,
}

impl<R: Refusals, E: Into<Problem>> From<E> for Refused<R> {
    fn from(error: E) -> Self {
        let problem = error.into();
        debug_assert!(
            R::KINDS.contains(&problem.kind) || EDGE.contains(&problem.kind),
            "{:?} is not among the problems that the document tells of this operation",
            problem.kind
        );
        Self { problem: Box::new(problem), refusals: PhantomData }
    }
}

/// What any operation can meet; the document's pass knows where each applies.
const EDGE: [Kind; 14] = [
    Kind::MalformedQuery,
    Kind::TooManyRequests,
    Kind::MalformedBody,
    Kind::Unauthorized,
    Kind::InsufficientRole,
    Kind::PasswordChangeDue,
    Kind::NotAcceptable,
    Kind::RequestTimeout,
    Kind::PayloadTooLarge,
    Kind::UnsupportedMediaType,
    Kind::Internal,
    Kind::Unavailable,
    Kind::Busy,
    Kind::DeadlineExceeded,
];

impl<R> From<Refused<R>> for poem::Error {
    fn from(refused: Refused<R>) -> Self {
        (*refused.problem).into()
    }
}

impl<R> fmt::Debug for Refused<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl<R: Refusals> ApiResponse for Refused<R> {
    /// Which problems there are; the document's pass writes what it has to say of each.
    fn meta() -> MetaResponses {
        let mut statuses: Vec<StatusCode> = R::KINDS.iter().map(|kind| kind.entry().status).collect();
        statuses.sort();
        statuses.dedup();
        let responses = statuses.into_iter().map(|status| {
            let kinds = R::KINDS.iter().map(|kind| kind.entry()).filter(|entry| entry.status == status);
            response(status, kinds.map(|entry| entry.slug.into()).collect())
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
