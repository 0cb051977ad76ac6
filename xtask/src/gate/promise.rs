//! What the document promises, one by one: a status, a media type, a problem type or a header of an operation's answer.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::document::{Document, Operation};

/// One thing that the document says an answer of an operation can be or have. Its text is what the list of the unseen
/// calls it: `getMe 200`, `getMe 200 application/json`, `getMe 503 /problems/busy`, `getMe 200 header ETag`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    pub operation: String,
    pub status: u16,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Status,
    MediaType(String),
    /// The type of a problem, as its URI reference.
    Problem(String),
    Header(String),
}

impl Promise {
    pub fn new(operation: &Operation, status: u16, what: What) -> Self {
        Self { operation: operation.id.clone(), status, what }
    }

    /// Every promise of a document.
    pub fn all(document: &Document) -> BTreeSet<Self> {
        let mut promises = BTreeSet::new();
        for operation in &document.operations {
            for (status, answer) in &operation.answers {
                let media_types = answer.content.keys().cloned().map(What::MediaType);
                let headers = answer.headers.values().map(|header| What::Header(header.name.clone()));
                let problems = answer.problems.iter().cloned().map(What::Problem);
                let whats = std::iter::once(What::Status).chain(media_types).chain(problems).chain(headers);
                promises.extend(whats.map(|what| Self::new(operation, *status, what)));
            }
        }
        promises
    }

    /// Whether this is `other`, or what `other` depends on: an unseen status has no headers.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || (self.what == What::Status && self.operation == other.operation && self.status == other.status)
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.status)?;
        match &self.what {
            What::Status => Ok(()),
            What::MediaType(name) | What::Problem(name) => write!(f, " {name}"),
            What::Header(name) => write!(f, " header {name}"),
        }
    }
}

impl FromStr for Promise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split(' ').collect();
        let (operation, status, what) = match *words {
            [operation, status] => (operation, status, What::Status),
            [operation, status, kind] if kind.starts_with('/') => (operation, status, What::Problem(kind.to_owned())),
            [operation, status, media_type] => (operation, status, What::MediaType(media_type.to_owned())),
            [operation, status, "header", name] => (operation, status, What::Header(name.to_owned())),
            _ => return Err(format!("{text:?} is no promise: write it as the report does")),
        };
        let status = status.parse().map_err(|_| format!("{text:?} has no status"))?;
        Ok(Self { operation: operation.to_owned(), status, what })
    }
}
