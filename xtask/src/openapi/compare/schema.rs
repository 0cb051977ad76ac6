//! A schema against itself as it was. What a client sends may be asked less of, and what it reads may be promised more.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::pattern::is_within;
use super::{Comparison, Effect, resolved};

/// Which way what a schema describes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A client writes it.
    Request,
    /// A client reads it.
    Response,
}

/// What bounds from above: less of it is asked for more.
const UPPER: [&str; 4] = ["maxLength", "maximum", "maxItems", "maxProperties"];
const LOWER: [&str; 4] = ["minLength", "minimum", "minItems", "minProperties"];

/// How deep schemas are followed: one that holds itself is the same at every depth.
const DEEPEST: usize = 12;

impl Comparison<'_> {
    pub(super) fn schema(&mut self, direction: Direction, at: &str, old: &Value, new: &Value) {
        self.schema_within(direction, at, old, new, DEEPEST);
    }

    fn schema_within(&mut self, direction: Direction, at: &str, old: &Value, new: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let (old, new) = (whole(self.old, old), whole(self.new, new));
        self.kind(direction, at, &old, &new);
        self.values(direction, at, &old, &new);
        self.bounds(direction, at, &old, &new);
        self.properties(direction, at, &old, &new, depth);
        self.alternatives(direction, at, &old, &new, depth);
        if let (Some(before), Some(after)) = (old.get("items"), new.get("items")) {
            self.schema_within(direction, &format!("{at}[]"), before, after, depth);
        }
    }

    fn kind(&mut self, direction: Direction, at: &str, old: &Value, new: &Value) {
        for key in ["type", "format"] {
            if old[key] != new[key] {
                self.note(Effect::Breaking, format!("{at}: {key} {} became {}", shown(&old[key]), shown(&new[key])));
            }
        }
        let (was_nullable, is_nullable) = (old["nullable"] == true, new["nullable"] == true);
        match (direction, was_nullable, is_nullable) {
            (Direction::Request, true, false) => self.note(Effect::Breaking, format!("{at}: may not be null now")),
            (Direction::Response, false, true) => self.note(Effect::Breaking, format!("{at}: may be null now")),
            (_, was, is) if was != is => self.note(Effect::Changed, format!("{at}: nullable {was} became {is}")),
            _ => {}
        }
        if direction == Direction::Request
            && old["additionalProperties"] != false
            && new["additionalProperties"] == false
        {
            self.note(Effect::Breaking, format!("{at}: unknown properties are refused now"));
        }
    }

    fn values(&mut self, direction: Direction, at: &str, old: &Value, new: &Value) {
        let (before, after) = (old["enum"].as_array(), new["enum"].as_array());
        match (before, after) {
            (Some(before), Some(after)) => {
                for value in before.iter().filter(|value| !after.contains(value)) {
                    let effect = if direction == Direction::Request { Effect::Breaking } else { Effect::Changed };
                    self.note(effect, format!("{at}: enum value {} removed", shown(value)));
                }
                for value in after.iter().filter(|value| !before.contains(value)) {
                    self.note(Effect::Added, format!("{at}: enum value {} added", shown(value)));
                }
            }
            (None, Some(_)) if direction == Direction::Request => {
                self.note(Effect::Breaking, format!("{at}: takes only the values of an enum now"));
            }
            (Some(_), None) if direction == Direction::Response => {
                self.note(Effect::Breaking, format!("{at}: is no longer one of the values of an enum"));
            }
            _ => {}
        }
    }

    fn bounds(&mut self, direction: Direction, at: &str, old: &Value, new: &Value) {
        for key in UPPER.into_iter().chain(LOWER) {
            let (before, after) = (old[key].as_f64(), new[key].as_f64());
            if before == after {
                continue;
            }
            // No bound is the widest.
            let grows = match (before, after) {
                (None, _) => Ordering::Less,
                (_, None) => Ordering::Greater,
                (Some(before), Some(after)) => after.total_cmp(&before),
            };
            let narrower = match (before, after) {
                (None, _) | (_, None) => grows == Ordering::Less,
                _ => grows == if UPPER.contains(&key) { Ordering::Less } else { Ordering::Greater },
            };
            let breaks = direction == Direction::Request && narrower;
            let effect = if breaks { Effect::Breaking } else { Effect::Changed };
            self.note(effect, format!("{at}: {key} {} became {}", shown(&old[key]), shown(&new[key])));
        }
        if old["pattern"] != new["pattern"] {
            let wider = match (old["pattern"].as_str(), new["pattern"].as_str()) {
                (_, None) => true,
                (old, Some(new)) => is_within(old.unwrap_or_default(), new).unwrap_or(false),
            };
            let breaks = direction == Direction::Request && !wider;
            let effect = if breaks { Effect::Breaking } else { Effect::Changed };
            self.note(effect, format!("{at}: pattern {} became {}", shown(&old["pattern"]), shown(&new["pattern"])));
        }
        if old["default"] != new["default"] {
            let what = format!("{at}: default {} became {}", shown(&old["default"]), shown(&new["default"]));
            self.note(Effect::Changed, what);
        }
    }

    fn properties(&mut self, direction: Direction, at: &str, old: &Value, new: &Value, depth: usize) {
        let none = Map::new();
        let (before, after) =
            (old["properties"].as_object().unwrap_or(&none), new["properties"].as_object().unwrap_or(&none));
        let requires = |schema: &Value, name: &str| {
            schema["required"].as_array().is_some_and(|required| required.iter().any(|required| required == name))
        };
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let place = format!("{at}.{name}");
            let (was_required, is_required) = (requires(old, name), requires(new, name));
            match (before.get(name), after.get(name)) {
                (Some(_), None) => self.note(Effect::Breaking, format!("{place} removed")),
                (None, Some(_)) if is_required && direction == Direction::Request => {
                    self.note(Effect::Breaking, format!("{place} added and required"));
                }
                (None, Some(_)) => self.note(Effect::Added, format!("{place} added")),
                (Some(before), Some(after)) => {
                    match (direction, was_required, is_required) {
                        (Direction::Request, false, true) => {
                            self.note(Effect::Breaking, format!("{place} is required now"));
                        }
                        (Direction::Response, true, false) => {
                            self.note(Effect::Breaking, format!("{place} is not always there now"));
                        }
                        (_, was, is) if was != is => {
                            self.note(Effect::Changed, format!("{place}: required {was} became {is}"));
                        }
                        _ => {}
                    }
                    self.schema_within(direction, &place, before, after, depth);
                }
                (None, None) => {}
            }
        }
    }

    /// Alternatives are identified by what they refer to, or by their title.
    fn alternatives(&mut self, direction: Direction, at: &str, old: &Value, new: &Value, depth: usize) {
        for key in ["oneOf", "anyOf"] {
            let (before, after) = (alternatives(&old[key]), alternatives(&new[key]));
            for (name, before) in &before {
                if let Some((_, after)) = after.iter().find(|(known, _)| known == name) {
                    self.schema_within(direction, &format!("{at} as {name}"), before, after, depth);
                } else {
                    let effect = if direction == Direction::Request { Effect::Breaking } else { Effect::Changed };
                    self.note(effect, format!("{at} as {name} removed"));
                }
            }
            for (name, _) in after.iter().filter(|(name, _)| before.iter().all(|(known, _)| known != name)) {
                self.note(Effect::Added, format!("{at} as {name} added"));
            }
        }
    }
}

fn alternatives(list: &Value) -> Vec<(&str, &Value)> {
    let named = list.as_array().into_iter().flatten().map(|schema| {
        let reference = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        (reference.or_else(|| schema["title"].as_str()).unwrap_or("one of several"), schema)
    });
    named.collect()
}

/// A schema with what it refers to, and with all parts of an `allOf` in one.
fn whole<'d>(document: &'d Value, schema: &'d Value) -> Cow<'d, Value> {
    let schema = resolved(document, schema);
    let Some(parts) = schema["allOf"].as_array() else { return Cow::Borrowed(schema) };
    let mut merged = Map::new();
    for part in parts.iter().map(|part| whole(document, part)) {
        merge(&mut merged, &part);
    }
    merge(&mut merged, schema);
    merged.remove("allOf");
    Cow::Owned(Value::Object(merged))
}

fn merge(into: &mut Map<String, Value>, part: &Value) {
    for (key, value) in part.as_object().into_iter().flatten() {
        match (into.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(Value::Array(known)), Value::Array(more)) if key == "required" => known.extend(more.iter().cloned()),
            _ => drop(into.insert(key.clone(), value.clone())),
        }
    }
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
