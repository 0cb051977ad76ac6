//! Comparison of two OpenAPI documents: what changes for a client of the older one.

mod operation;
mod pattern;
mod schema;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use crate::document::{Document, Operation};
use schema::Direction;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub effect: Effect,
    /// The operation, the component or the part of the document that changes.
    pub subject: String,
    /// The change in words.
    pub what: String,
}

/// Effect of a change on a client of the older document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Its requests are rejected, or it does not understand the responses.
    Breaking,
    /// It can use something new.
    Added,
    /// None.
    Changed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)
    }
}

/// All changes from one document to another, each once.
pub fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let mut comparison = Comparison { old, new, changes: BTreeSet::new(), compared: HashSet::new() };
    comparison.servers();
    let (before, after) = (by_name(old), by_name(new));
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        match (before.get(name), after.get(name)) {
            (Some(_), None) => comparison.note(Effect::Breaking, &code(name), "removed"),
            (None, Some(_)) => comparison.note(Effect::Added, &code(name), "added"),
            (Some(before), Some(after)) => comparison.operation(&code(name), before, after),
            (None, None) => {}
        }
    }
    comparison.changes.into_iter().collect()
}

fn by_name(document: &Document) -> BTreeMap<String, &Operation> {
    document.operations.iter().map(|operation| (operation.name(), operation)).collect()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

struct Comparison<'d> {
    old: &'d Document,
    new: &'d Document,
    changes: BTreeSet<Change>,
    /// Component schemas that are compared already.
    compared: HashSet<(Direction, String, String)>,
}

impl Comparison<'_> {
    fn note(&mut self, effect: Effect, subject: &str, what: impl Into<String>) {
        self.changes.insert(Change { effect, subject: subject.to_owned(), what: what.into() });
    }

    /// Generated clients contain the address of the first server.
    fn servers(&mut self) {
        let urls = |document: &Document| document.servers.iter().map(|server| server.url.clone()).collect::<Vec<_>>();
        let (before, after) = (urls(self.old), urls(self.new));
        for url in before.iter().filter(|url| !after.contains(url)) {
            self.note(Effect::Breaking, "servers", format!("{} removed", code(url)));
        }
        for url in after.iter().filter(|url| !before.contains(url)) {
            self.note(Effect::Added, "servers", format!("{} added", code(url)));
        }
        if before.first() != after.first() && before.first().is_some_and(|first| after.contains(first)) {
            self.note(Effect::Breaking, "servers", "another server comes first");
        }
    }
}

#[cfg(test)]
mod tests;
