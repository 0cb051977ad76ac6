//! Comparison of an operation: callers, parameters, request body and responses.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{Direction, Place};
use super::{Comparison, Effect, code};
use crate::document::{Body, Document, Media, Operation, Parameter, Response};

impl<'d> Comparison<'d> {
    pub(super) fn operation(&mut self, subject: &str, old: &'d Operation, new: &'d Operation) {
        self.identity(subject, old, new);
        self.security(subject, old, new);
        self.parameters(subject, old, new);
        self.request_body(subject, old.request_body.as_ref(), new.request_body.as_ref());
        self.responses(subject, old, new);
    }

    /// Generated clients name methods by operation ids, and classes by tags.
    fn identity(&mut self, subject: &str, old: &Operation, new: &Operation) {
        if old.id != new.id {
            let what = format!("the operation id {} becomes {}", code(&old.id), code(&new.id));
            self.note(Effect::Breaking, subject, what);
        }
        if old.tags != new.tags {
            let what = format!("the tag {} becomes {}", code(&old.tags.join(", ")), code(&new.tags.join(", ")));
            self.note(Effect::Breaking, subject, what);
        }
        match (old.deprecated, new.deprecated) {
            (false, true) => self.note(Effect::Changed, subject, "deprecated"),
            (true, false) => self.note(Effect::Changed, subject, "no longer deprecated"),
            _ => {}
        }
    }

    fn security(&mut self, subject: &str, old: &Operation, new: &Operation) {
        if old.role != new.role {
            let effect = if new.least_role() > old.least_role() { Effect::Breaking } else { Effect::Changed };
            let role =
                |operation: &Operation| operation.role.map_or("no role".to_owned(), |role| format!("the role {role}"));
            self.note(effect, subject, format!("requires {} instead of {}", role(new), role(old)));
        }
        match (old.is_secured(), new.is_secured()) {
            (false, true) => self.note(Effect::Breaking, subject, "requires a token"),
            (true, false) => self.note(Effect::Breaking, subject, "no longer accepts a token"),
            _ if old.security != new.security => {
                self.note(Effect::Breaking, subject, "requires another authentication");
            }
            _ => self.security_schemes(subject, old),
        }
    }

    /// The schemes behind the names of an unchanged requirement.
    fn security_schemes(&mut self, subject: &str, operation: &Operation) {
        for name in operation.security.iter().flatten().flat_map(|alternative| alternative.keys()) {
            let scheme = |document: &'d Document| {
                let scheme = &document.components.security_schemes[name];
                ["type", "scheme", "in", "name", "flows", "openIdConnectUrl"].map(|key| &scheme[key])
            };
            if scheme(self.old) != scheme(self.new) {
                self.note(Effect::Breaking, subject, format!("the security scheme {} differs", code(name)));
            }
        }
    }

    fn parameters(&mut self, subject: &str, old: &'d Operation, new: &'d Operation) {
        let (before, after) = (parameters(old), parameters(new));
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            match (before.get(name), after.get(name)) {
                (Some(_), None) => self.note(Effect::Breaking, subject, format!("{name} removed")),
                (None, Some(after)) if after.required => {
                    self.note(Effect::Breaking, subject, format!("{name} added, and required"));
                }
                (None, Some(_)) => self.note(Effect::Added, subject, format!("{name} added")),
                (Some(before), Some(after)) => self.parameter(subject, name, before, after),
                (None, None) => {}
            }
        }
    }

    fn parameter(&mut self, subject: &str, name: &str, old: &'d Parameter, new: &'d Parameter) {
        match (old.required, new.required) {
            (false, true) => self.note(Effect::Breaking, subject, format!("{name} is required")),
            (true, false) => self.note(Effect::Changed, subject, format!("{name} is optional")),
            _ => {}
        }
        if (&old.style, old.explode) != (&new.style, new.explode) {
            self.note(Effect::Breaking, subject, format!("{name} is serialised in another style"));
        }
        if old.content.is_empty() != new.content.is_empty() {
            self.note(Effect::Breaking, subject, format!("{name} has another media type"));
        }
        let place = Place::new(Direction::Request, subject, name);
        self.content(&place, &old.content, &new.content);
        self.schema(&place, &old.schema, &new.schema);
    }

    fn request_body(&mut self, subject: &str, old: Option<&'d Body>, new: Option<&'d Body>) {
        match (old, new) {
            (None, None) => {}
            (Some(_), None) => self.note(Effect::Breaking, subject, "the request body is removed"),
            (None, Some(new)) if new.required => self.note(Effect::Breaking, subject, "a request body is required"),
            (None, Some(_)) => self.note(Effect::Added, subject, "a request body is possible"),
            (Some(old), Some(new)) => {
                if !old.required && new.required {
                    self.note(Effect::Breaking, subject, "the request body is required");
                }
                self.content(&Place::new(Direction::Request, subject, "the request body"), &old.content, &new.content);
            }
        }
    }

    fn responses(&mut self, subject: &str, old: &'d Operation, new: &'d Operation) {
        for status in old.responses.keys().chain(new.responses.keys()).collect::<BTreeSet<_>>() {
            match (old.responses.get(status), new.responses.get(status)) {
                (Some(_), None) => self.note(Effect::Breaking, subject, format!("the response {status} is removed")),
                (None, Some(_)) => {
                    // A client expects the successes that it knows.
                    let effect = if (200..300).contains(status) { Effect::Breaking } else { Effect::Added };
                    self.note(effect, subject, format!("a response {status} is possible"));
                }
                (Some(old), Some(new)) => self.response(subject, &format!("the response {status}"), old, new),
                (None, None) => {}
            }
        }
    }

    fn response(&mut self, subject: &str, name: &str, old: &'d Response, new: &'d Response) {
        for (header, before) in &old.headers {
            let after = new.headers.get(header);
            let header = format!("the header {} of {name}", code(header));
            let Some(after) = after else {
                self.note(Effect::Breaking, subject, format!("{header} is removed"));
                continue;
            };
            if before.required && !after.required {
                self.note(Effect::Breaking, subject, format!("{header} may be absent"));
            }
            self.schema(&Place::new(Direction::Response, subject, &header), &before.schema, &after.schema);
        }
        for header in new.headers.keys().filter(|header| !old.headers.contains_key(*header)) {
            self.note(Effect::Added, subject, format!("responses have the header {}", code(header)));
        }
        for (link, target) in &old.links {
            let link_name = format!("the link {} of {name}", code(link));
            match new.links.get(link) {
                None => self.note(Effect::Breaking, subject, format!("{link_name} is removed")),
                Some(other) if other["operationId"] == target["operationId"] => {}
                Some(_) => self.note(Effect::Breaking, subject, format!("{link_name} has another target")),
            }
        }
        self.problem_types(subject, name, &old.problem_types, &new.problem_types);
        self.content(&Place::new(Direction::Response, subject, name), &old.content, &new.content);
    }

    /// A client compares the problem types that it knows, and handles others by their status.
    fn problem_types(&mut self, subject: &str, name: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        let list = |types: Vec<&String>| types.into_iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
        let (gone, added) = (old.difference(new).collect::<Vec<_>>(), new.difference(old).collect::<Vec<_>>());
        match (gone.is_empty(), added.is_empty()) {
            (true, true) => {}
            (true, false) => {
                self.note(Effect::Added, subject, format!("{name} has the problem type {}", list(added)));
            }
            (false, true) => {
                self.note(Effect::Changed, subject, format!("{name} no longer has the problem type {}", list(gone)));
            }
            (false, false) => {
                let what = format!("the problem type {} of {name} becomes {}", list(gone), list(added));
                self.note(Effect::Breaking, subject, what);
            }
        }
    }

    fn content(&mut self, place: &Place, old: &'d BTreeMap<String, Media>, new: &'d BTreeMap<String, Media>) {
        for (media_type, before) in old {
            match new.get(media_type) {
                None => self.note_at(Effect::Breaking, place, format!("is no longer {media_type}")),
                Some(after) => self.schema(place, &before.schema, &after.schema),
            }
        }
        for media_type in new.keys().filter(|media_type| !old.contains_key(*media_type)) {
            self.note_at(Effect::Added, place, format!("may be {media_type}"));
        }
    }
}

/// Parameters by location and name.
fn parameters(operation: &Operation) -> BTreeMap<String, &Parameter> {
    let named = operation.parameters.iter();
    named
        .map(|parameter| (format!("the {} parameter {}", parameter.location, code(&parameter.name)), parameter))
        .collect()
}
