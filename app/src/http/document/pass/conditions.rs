//! The conditions of requests (RFC 9110, section 13.1), for what answers 304 or 412. They are read from every line of
//! their header, which an extractor of one value could not do.

use serde_json::{Value, json};

/// `*`, or entity tags.
const PATTERN: &str = "^(\\*|(W/)?\"[^\"]*\"( *, *(W/)?\"[^\"]*\")*)$";

/// Adds what an operation heeds.
pub fn add(operation: &mut Value) {
    let answers = |status| operation["responses"].get(status).is_some();
    let names: &[&str] = match (answers("412"), answers("304")) {
        (true, _) => &["If-Match", "If-None-Match-to-write"],
        (false, true) => &["If-None-Match"],
        (false, false) => &[],
    };
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.extend(names.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    }
}

/// The conditions that there are. None has a bound of its own: a longer one is no fault, it fits no record.
pub fn shared() -> Value {
    let condition = |name: &str, description: &str| {
        let schema = json!({ "type": "string", "pattern": PATTERN });
        json!({ "name": name, "in": "header", "description": description, "required": false, "schema": schema })
    };
    json!({
        "If-Match": condition("If-Match", "The `ETag` of the version that may be written; any other is a 412."),
        "If-None-Match": condition("If-None-Match", "The `ETag` of the version that the client has; then 304."),
        "If-None-Match-to-write":
            condition("If-None-Match", "The `ETag`s of versions that may not be written; `*` for all."),
    })
}
