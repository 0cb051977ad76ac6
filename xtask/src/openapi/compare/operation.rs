//! An operation against itself as it was: who may call it, what it takes, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::{Direction, shown};
use super::{Comparison, Effect, resolved};

/// What an operation asks for beside a good token; the roles from the lowest to the highest.
const ROLE: &str = "x-required-role";
const ROLES: [&str; 3] = ["viewer", "registrar", "admin"];

const PROBLEM_TYPES: &str = "x-problem-types";

impl<'d> Comparison<'d> {
    pub(super) fn operation(&mut self, old: &'d Value, new: &'d Value) {
        self.identity(old, new);
        self.security(old, new);
        self.parameters(old, new);
        self.body(old, new);
        self.responses(old, new);
    }

    fn identity(&mut self, old: &Value, new: &Value) {
        if old["operationId"] != new["operationId"] {
            self.note(Effect::Breaking, format!("renamed from {} to {}", old["operationId"], new["operationId"]));
        }
        match (old["deprecated"] == true, new["deprecated"] == true) {
            (false, true) => self.note(Effect::Changed, "deprecated"),
            (true, false) => self.note(Effect::Changed, "no longer deprecated"),
            _ => {}
        }
    }

    fn security(&mut self, old: &'d Value, new: &'d Value) {
        let of = |document: &'d Value, operation: &'d Value| operation.get("security").unwrap_or(&document["security"]);
        let (before, after) = (of(self.old, old), of(self.new, new));
        self.role(old, new);
        let is_open = |security: &Value| security.as_array().is_none_or(Vec::is_empty);
        if before == after {
            return self.schemes(before);
        }
        let what = match (is_open(before), is_open(after)) {
            (true, false) => "security requirement added",
            (false, true) => "security requirement lost",
            _ => "security requirement changed",
        };
        self.note(Effect::Breaking, what);
    }

    /// What the names in a requirement stand for.
    fn schemes(&mut self, security: &Value) {
        let names =
            security.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(|named| named.keys());
        for name in names {
            let of = |document: &'d Value| {
                let scheme = resolved(document, &document["components"]["securitySchemes"][name]);
                ["type", "scheme", "in", "name", "flows", "openIdConnectUrl"].map(|key| &scheme[key])
            };
            if of(self.old) != of(self.new) {
                self.note(Effect::Breaking, format!("security scheme {name} changed"));
            }
        }
    }

    fn role(&mut self, old: &Value, new: &Value) {
        let (before, after) = (&old[ROLE], &new[ROLE]);
        if before == after {
            return;
        }
        let rank = |role: &Value| ROLES.iter().position(|known| role == known);
        let rises = match (rank(before), rank(after)) {
            (None, _) => true,
            (Some(before), Some(after)) => after > before,
            (Some(_), None) => !after.is_null(),
        };
        let effect = if rises { Effect::Breaking } else { Effect::Changed };
        self.note(effect, format!("role {} became {}", shown(before), shown(after)));
    }

    fn parameters(&mut self, old: &'d Value, new: &'d Value) {
        let (before, after) = (parameters(self.old, old), parameters(self.new, new));
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            match (before.get(name), after.get(name)) {
                (Some(_), None) => self.note(Effect::Breaking, format!("{name} removed")),
                (None, Some(after)) if after["required"] == true => {
                    self.note(Effect::Breaking, format!("{name} added and required"));
                }
                (None, Some(_)) => self.note(Effect::Added, format!("{name} added")),
                (Some(before), Some(after)) => {
                    if before["required"] != true && after["required"] == true {
                        self.note(Effect::Breaking, format!("{name} is required now"));
                    }
                    self.schema(Direction::Request, name, &before["schema"], &after["schema"]);
                }
                (None, None) => {}
            }
        }
    }

    fn body(&mut self, old: &'d Value, new: &'d Value) {
        let (before, after) = (old.get("requestBody"), new.get("requestBody"));
        let (before, after) = match (before, after) {
            (None, None) => return,
            (Some(_), None) => return self.note(Effect::Breaking, "body removed"),
            (None, Some(after)) if resolved(self.new, after)["required"] == true => {
                return self.note(Effect::Breaking, "body added and required");
            }
            (None, Some(_)) => return self.note(Effect::Added, "body added"),
            (Some(before), Some(after)) => (resolved(self.old, before), resolved(self.new, after)),
        };
        if before["required"] != true && after["required"] == true {
            self.note(Effect::Breaking, "body is required now");
        }
        self.content(Direction::Request, "body", before, after);
    }

    fn responses(&mut self, old: &'d Value, new: &'d Value) {
        let none = serde_json::Map::new();
        let of = |operation: &'d Value| operation["responses"].as_object();
        let (before, after) = (of(old), of(new));
        let statuses = before.unwrap_or(&none).keys().chain(after.unwrap_or(&none).keys()).collect::<BTreeSet<_>>();
        for status in statuses {
            match (before.and_then(|old| old.get(status)), after.and_then(|new| new.get(status))) {
                (Some(_), None) => self.note(Effect::Breaking, format!("{status} lost")),
                (None, Some(_)) => self.note(Effect::Added, format!("{status} added")),
                (Some(before), Some(after)) => {
                    let (before, after) = (resolved(self.old, before), resolved(self.new, after));
                    self.headers(status, before, after);
                    self.content(Direction::Response, status, before, after);
                }
                (None, None) => {}
            }
        }
    }

    fn headers(&mut self, status: &str, old: &'d Value, new: &'d Value) {
        let before = old["headers"].as_object().into_iter().flatten();
        for (name, before) in before {
            let Some(after) = new["headers"].get(name) else {
                self.note(Effect::Breaking, format!("{status} header {name} removed"));
                continue;
            };
            let (before, after) = (resolved(self.old, before), resolved(self.new, after));
            if before["required"] == true && after["required"] != true {
                self.note(Effect::Breaking, format!("{status} header {name} is not always there now"));
            }
            self.schema(Direction::Response, &format!("{status} header {name}"), &before["schema"], &after["schema"]);
        }
        for (name, _) in new["headers"].as_object().into_iter().flatten() {
            if old["headers"].get(name).is_none() {
                self.note(Effect::Added, format!("{status} header {name} added"));
            }
        }
    }

    fn content(&mut self, direction: Direction, at: &str, old: &'d Value, new: &'d Value) {
        for (media_type, before) in old["content"].as_object().into_iter().flatten() {
            match new["content"].get(media_type) {
                None => self.note(Effect::Breaking, format!("{at} as {media_type} removed")),
                Some(after) => {
                    self.schema(direction, at, &before["schema"], &after["schema"]);
                }
            }
        }
        self.problems(at, &old[PROBLEM_TYPES], &new[PROBLEM_TYPES]);
        for (media_type, _) in new["content"].as_object().into_iter().flatten() {
            if old["content"].get(media_type).is_none() {
                self.note(Effect::Added, format!("{at} as {media_type} added"));
            }
        }
    }

    /// The types of problems that a response can have.
    fn problems(&mut self, at: &str, old: &Value, new: &Value) {
        let types = |list: &Value| -> BTreeSet<String> {
            let types = list.as_array().into_iter().flatten().filter_map(Value::as_str);
            types.map(|uri| uri.trim_start_matches("/problems/").to_owned()).collect()
        };
        let (before, after) = (types(old), types(new));
        for slug in before.difference(&after) {
            self.note(Effect::Changed, format!("{at} problem {slug} removed"));
        }
        for slug in after.difference(&before) {
            self.note(Effect::Added, format!("{at} problem {slug} added"));
        }
    }
}

/// Each parameter by where it is and what it is called.
fn parameters<'d>(document: &'d Value, operation: &'d Value) -> BTreeMap<String, &'d Value> {
    let all = operation["parameters"].as_array().into_iter().flatten().map(|parameter| resolved(document, parameter));
    let named = all.map(|parameter| {
        let text = |key: &str| parameter[key].as_str().unwrap_or_default();
        (format!("{} parameter {}", text("in"), text("name")), parameter)
    });
    named.collect()
}
