//! Comparison of schemas. A request may be restricted less, and a response more.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::pattern::is_within;
use super::{Comparison, Effect, code};
use crate::document::{Document, reference};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Clients send it.
    Request,
    /// Clients receive it.
    Response,
}

/// Place of a schema.
#[derive(Clone)]
pub struct Place {
    direction: Direction,
    subject: String,
    /// The part of an operation; empty for a component.
    part: String,
    /// The property in it; empty for the whole.
    property: String,
}

/// How the set of accepted values changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shift {
    Narrower,
    Wider,
    /// Some values are added and some removed, or it cannot be decided.
    Other,
}

/// A bound: its keyword, the keyword that excludes the bound itself, its name, and whether it is an upper bound.
const BOUNDS: [(&str, &str, &str, bool); 8] = [
    ("maximum", "exclusiveMaximum", "maximum", true),
    ("maxLength", "", "maximum length", true),
    ("maxItems", "", "maximum number of items", true),
    ("maxProperties", "", "maximum number of properties", true),
    ("minimum", "exclusiveMinimum", "minimum", false),
    ("minLength", "", "minimum length", false),
    ("minItems", "", "minimum number of items", false),
    ("minProperties", "", "minimum number of properties", false),
];

impl Place {
    pub fn new(direction: Direction, subject: &str, part: &str) -> Self {
        Self { direction, subject: subject.to_owned(), part: part.to_owned(), property: String::new() }
    }

    fn component(direction: Direction, name: &str) -> Self {
        let messages = if direction == Direction::Request { "requests" } else { "responses" };
        Self::new(direction, &format!("{} in {messages}", code(name)), "")
    }

    fn inner(&self, suffix: &str) -> Self {
        let dot = if self.property.is_empty() || suffix == "[]" { "" } else { "." };
        Self { property: format!("{}{dot}{suffix}", self.property), ..self.clone() }
    }

    fn effect(&self, shift: Shift) -> Effect {
        match (self.direction, shift) {
            (Direction::Request, Shift::Wider) => Effect::Added,
            (Direction::Response, Shift::Narrower) => Effect::Changed,
            _ => Effect::Breaking,
        }
    }
}

impl<'d> Comparison<'d> {
    pub(super) fn note_at(&mut self, effect: Effect, place: &Place, what: impl AsRef<str>) {
        let words = match (place.part.is_empty(), place.property.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("{} ", place.part),
            (true, false) => format!("{} ", code(&place.property)),
            (false, false) => format!("{} of {} ", code(&place.property), place.part),
        };
        self.note(effect, &place.subject, words + what.as_ref());
    }

    fn shift(&mut self, place: &Place, shift: Shift, what: impl AsRef<str>) {
        self.note_at(place.effect(shift), place, what);
    }

    pub(super) fn schema(&mut self, place: &Place, old: &Value, new: &Value) {
        let (name, new_name) = (reference(old), reference(new));
        match (name, new_name) {
            (Some(name), Some(new_name)) => {
                if name != new_name {
                    self.note(Effect::Breaking, &code(name), format!("the schema becomes {}", code(new_name)));
                }
                self.keywords(place, &beside_reference(old), &beside_reference(new));
                if self.compared.insert((place.direction, name.to_owned(), new_name.to_owned())) {
                    let (old, new): (&'d Value, &'d Value) = (self.old.schema(name), self.new.schema(new_name));
                    self.schema(&Place::component(place.direction, new_name), old, new);
                }
                return;
            }
            (Some(name), None) => {
                self.note_at(Effect::Breaking, place, format!("is no longer the schema {}", code(name)));
            }
            (None, Some(name)) if old["type"] == "object" || old.get("enum").is_some() => {
                self.note_at(Effect::Breaking, place, format!("becomes the schema {}", code(name)));
            }
            _ => {}
        }
        let (old, new) = (merged(self.old, old), merged(self.new, new));
        self.keywords(place, &old, &new);
        self.properties(place, &old, &new);
        self.alternatives(place, &old, &new);
        for (key, suffix) in [("items", "[]"), ("additionalProperties", "*")] {
            if let (Some(before @ Value::Object(_)), Some(after @ Value::Object(_))) = (old.get(key), new.get(key)) {
                self.schema(&place.inner(suffix), before, after);
            }
        }
    }

    fn keywords(&mut self, place: &Place, old: &Value, new: &Value) {
        for key in ["type", "format"] {
            if old[key] != new[key] {
                self.shift(place, Shift::Other, becomes(key, as_text(&old[key]), as_text(&new[key])));
            }
        }
        if old["default"] != new["default"] {
            let is_request = place.direction == Direction::Request;
            let effect = if is_request { Effect::Breaking } else { Effect::Changed };
            self.note_at(effect, place, becomes("default", as_text(&old["default"]), as_text(&new["default"])));
        }
        self.values(place, &old["enum"], &new["enum"]);
        self.bounds(place, old, new);
        self.flag(place, old, new, "nullable", Shift::Wider, ["may be null", "is never null"]);
        self.flag(place, old, new, "uniqueItems", Shift::Narrower, ["has unique items", "may have equal items"]);
        let closed = |schema: &Value| schema["additionalProperties"] == false;
        match (closed(old), closed(new)) {
            (false, true) => self.shift(place, Shift::Narrower, "has no unknown properties"),
            (true, false) => self.shift(place, Shift::Wider, "may have unknown properties"),
            _ => {}
        }
        let is_map = |schema: &Value| schema["additionalProperties"].is_object();
        match (is_map(old), is_map(new)) {
            (false, true) if !closed(old) => self.shift(place, Shift::Narrower, "restricts unknown properties"),
            (true, false) if !closed(new) => self.shift(place, Shift::Wider, "has any unknown properties"),
            _ => {}
        }
        match (old.get("not"), new.get("not")) {
            (None, Some(_)) => self.shift(place, Shift::Narrower, "excludes values"),
            (Some(_), None) => self.shift(place, Shift::Wider, "no longer excludes values"),
            (before, after) if before != after => self.shift(place, Shift::Other, "excludes other values"),
            _ => {}
        }
    }

    fn flag(&mut self, place: &Place, old: &Value, new: &Value, key: &str, set: Shift, [on, off]: [&str; 2]) {
        let unset = if set == Shift::Wider { Shift::Narrower } else { Shift::Wider };
        match (old[key] == true, new[key] == true) {
            (false, true) => self.shift(place, set, on),
            (true, false) => self.shift(place, unset, off),
            _ => {}
        }
    }

    fn values(&mut self, place: &Place, old: &Value, new: &Value) {
        match (old.as_array(), new.as_array()) {
            (Some(before), Some(after)) => {
                for value in before.iter().filter(|value| !after.contains(value)) {
                    self.shift(place, Shift::Narrower, format!("no longer has the value {}", as_code(value)));
                }
                for value in after.iter().filter(|value| !before.contains(value)) {
                    self.shift(place, Shift::Wider, format!("has the new value {}", as_code(value)));
                }
            }
            (None, Some(_)) => self.shift(place, Shift::Narrower, "has only listed values"),
            (Some(_), None) => self.shift(place, Shift::Wider, "has values beyond the listed ones"),
            (None, None) => {}
        }
    }

    fn bounds(&mut self, place: &Place, old: &Value, new: &Value) {
        for (key, exclusive, name, is_upper) in BOUNDS {
            let of = |schema| bound(schema, key, exclusive, is_upper);
            let (before, after) = (of(old), of(new));
            let shift = match (before, after) {
                (before, after) if before == after => continue,
                (Some(_), None) => Shift::Wider,
                (Some(before), Some(after)) if (after < before) != is_upper => Shift::Wider,
                _ => Shift::Narrower,
            };
            let text = |bound: Option<(f64, f64)>| {
                bound.map(|(value, excluded)| format!("{value}{}", if excluded == 0.0 { "" } else { " (exclusive)" }))
            };
            self.shift(place, shift, becomes(name, text(before), text(after)));
        }
        let divides = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
            (None, _) => true,
            (Some(one), Some(other)) => other % one == 0.0,
            (Some(_), None) => false,
        };
        let (before, after) = (&old["multipleOf"], &new["multipleOf"]);
        if let Some(shift) = shift_of(divides(before, after), divides(after, before)) {
            self.shift(place, shift, becomes("divisor", as_text(before), as_text(after)));
        }
        let (before, after) = (old["pattern"].as_str(), new["pattern"].as_str());
        if before != after {
            let contains = |wide: Option<&str>, narrow: Option<&str>| {
                wide.is_none_or(|wide| is_within(narrow.unwrap_or_default(), wide).unwrap_or(false))
            };
            match shift_of(contains(before, after), contains(after, before)) {
                None => {}
                Some(Shift::Narrower) => self.shift(place, Shift::Narrower, "has a stricter pattern"),
                Some(Shift::Wider) => self.shift(place, Shift::Wider, "has a wider pattern"),
                Some(Shift::Other) => self.shift(place, Shift::Other, "has another pattern"),
            }
        }
    }

    fn properties(&mut self, place: &Place, old: &Value, new: &Value) {
        let of = |schema: &Value| schema["properties"].as_object().cloned().unwrap_or_default();
        let requires = |schema: &Value, name: &str| {
            schema["required"].as_array().is_some_and(|required| required.iter().any(|required| required == name))
        };
        let (before, after) = (of(old), of(new));
        let is_request = place.direction == Direction::Request;
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let place = place.inner(name);
            let (was_required, is_required) = (requires(old, name), requires(new, name));
            match (before.get(name), after.get(name)) {
                (Some(_), None) => self.note_at(Effect::Breaking, &place, "is removed"),
                (None, Some(_)) if is_request && is_required => {
                    self.note_at(Effect::Breaking, &place, "is added, and required");
                }
                (None, Some(_)) => self.note_at(Effect::Added, &place, "is added"),
                (Some(before), Some(after)) => {
                    match (was_required, is_required) {
                        (false, true) if is_request => self.note_at(Effect::Breaking, &place, "is required"),
                        (true, false) if is_request => self.note_at(Effect::Changed, &place, "is optional"),
                        (false, true) => self.note_at(Effect::Changed, &place, "is always present"),
                        (true, false) => self.note_at(Effect::Breaking, &place, "may be absent"),
                        _ => {}
                    }
                    self.schema(&place, before, after);
                }
                (None, None) => {}
            }
        }
    }

    fn alternatives(&mut self, place: &Place, old: &Value, new: &Value) {
        for key in ["oneOf", "anyOf"] {
            let (before, after) = (alternatives(&old[key]), alternatives(&new[key]));
            match (before.is_empty(), after.is_empty()) {
                (true, false) => self.shift(place, Shift::Narrower, "is restricted to alternatives"),
                (false, true) => self.shift(place, Shift::Wider, "is no longer restricted to alternatives"),
                _ => {
                    for (name, before) in &before {
                        match after.iter().find(|(known, _)| known == name) {
                            Some((_, after)) => self.schema(&place.inner(name), before, after),
                            None => self.shift(place, Shift::Narrower, format!("has no alternative {}", code(name))),
                        }
                    }
                    for (name, _) in after.iter().filter(|(name, _)| before.iter().all(|(known, _)| known != name)) {
                        self.shift(place, Shift::Wider, format!("has the alternative {}", code(name)));
                    }
                }
            }
        }
    }
}

/// Alternatives by the name of their schema, by their title, or by their content.
fn alternatives(list: &Value) -> Vec<(String, &Value)> {
    let schemas = list.as_array().into_iter().flatten();
    let name = |schema: &Value| {
        reference(schema).or(schema["title"].as_str()).map_or_else(|| schema.to_string(), str::to_owned)
    };
    schemas.map(|schema| (name(schema), schema)).collect()
}

/// The shift of a set that contains its successor, or is contained in it; `None` for the same set.
fn shift_of(contains_new: bool, is_within_new: bool) -> Option<Shift> {
    match (contains_new, is_within_new) {
        (true, true) => None,
        (true, false) => Some(Shift::Narrower),
        (false, true) => Some(Shift::Wider),
        (false, false) => Some(Shift::Other),
    }
}

/// A bound that orders like the sets it describes: its value, and the side of it that is excluded.
fn bound(schema: &Value, key: &str, exclusive: &str, is_upper: bool) -> Option<(f64, f64)> {
    let excluded = if is_upper { -1.0 } else { 1.0 };
    let inclusive = schema[key].as_f64();
    match &schema[exclusive] {
        // OpenAPI 3.0
        Value::Bool(true) => inclusive.map(|value| (value, excluded)),
        // JSON Schema, OpenAPI 3.1
        Value::Number(number) => number.as_f64().map(|value| (value, excluded)),
        _ => inclusive.map(|value| (value, 0.0)),
    }
}

/// What stands beside a reference.
fn beside_reference(schema: &Value) -> Value {
    let fields = schema.as_object().into_iter().flatten().filter(|(key, _)| !["$ref", "allOf"].contains(&key.as_str()));
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// A schema with all parts of its `allOf`, and with the target of its reference.
fn merged<'s>(document: &'s Document, schema: &'s Value) -> Cow<'s, Value> {
    let schema = schema["$ref"].as_str().and(reference(schema)).map_or(schema, |name| document.schema(name));
    let Some(parts) = schema["allOf"].as_array() else { return Cow::Borrowed(schema) };
    let mut fields = Map::new();
    for part in parts.iter().map(|part| merged(document, part)) {
        merge(&mut fields, &part);
    }
    merge(&mut fields, schema);
    fields.remove("allOf");
    Cow::Owned(Value::Object(fields))
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

fn becomes(name: &str, old: Option<String>, new: Option<String>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => format!("has the {name} {new} instead of {old}"),
        (None, Some(new)) => format!("has the {name} {new}"),
        (_, None) => format!("has no {name}"),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn as_code(value: &Value) -> String {
    code(&as_text(value).unwrap_or_else(|| "null".to_owned()))
}
