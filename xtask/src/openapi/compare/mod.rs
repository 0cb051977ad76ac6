//! What a document says otherwise than one before it, and whether that breaks a client of the one before.

mod operation;
mod pattern;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// One thing that is other than it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub effect: Effect,
    /// Method and path.
    pub operation: String,
    pub what: String,
}

/// What a change does to a client that knows the document before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// What it sends is refused, or what it reads is not what it expects.
    Breaking,
    /// There is more than it knows.
    Added,
    /// It goes on as before.
    Changed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.what)
    }
}

/// Every change between two documents, operation by operation.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let (before, after) = (operations(old), operations(new));
    let mut changes = BTreeSet::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let change = |effect, what: &str| Change { effect, operation: name.clone(), what: what.to_owned() };
        match (before.get(name), after.get(name)) {
            (Some(_), None) => drop(changes.insert(change(Effect::Breaking, "removed"))),
            (None, Some(_)) => drop(changes.insert(change(Effect::Added, "added"))),
            (Some(before), Some(after)) => {
                let mut comparison = Comparison { old, new, operation: name.clone(), changes: Vec::new() };
                comparison.operation(before, after);
                changes.extend(comparison.changes);
            }
            (None, None) => {}
        }
    }
    changes.into_iter().collect()
}

/// Each operation by method and path.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let items = document["paths"].as_object().into_iter().flatten();
    let operations = items.flat_map(|(path, item)| {
        let methods = METHODS.iter().filter_map(move |method| Some((method, item.get(method)?)));
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

/// The comparison of one operation with itself as it was.
struct Comparison<'d> {
    old: &'d Value,
    new: &'d Value,
    operation: String,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    fn note(&mut self, effect: Effect, what: impl Into<String>) {
        self.changes.push(Change { effect, operation: self.operation.clone(), what: what.into() });
    }
}

/// What a `$ref` leads to, or the value itself.
fn resolved<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    const NOWHERE: &Value = &Value::Null;
    // A reference to itself leads nowhere.
    for _ in 0..16 {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
        value = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(NOWHERE);
    }
    NOWHERE
}

#[cfg(test)]
mod tests;
