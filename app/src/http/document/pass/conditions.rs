//! The conditions of requests (RFC 9110, section 13.1), for what answers 304 or 412. They are read from every line of
//! their header, which an extractor of one value could not do.

use serde_json::{Value, json};

/// Whatever it is, it is no fault: what is no entity tag, or too long for one, fits no record.
const PATTERN: &str = "^[\\s\\S]*$";

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

/// The conditions that there are.
pub fn shared() -> Value {
    let condition = |name: &str, description: &str| {
        let schema = json!({ "type": "string", "pattern": PATTERN });
        json!({ "name": name, "in": "header", "description": description, "required": false, "schema": schema })
    };
    json!({
        "If-Match": condition("If-Match", "The `ETag`s of the versions that may be written, joined by commas, or `*`; any other is a 412."),
        "If-None-Match": condition("If-None-Match", "The `ETag`s of the versions that the client has, joined by commas, or `*`; then 304."),
        "If-None-Match-to-write":
            condition("If-None-Match", "The `ETag`s of versions that may not be written, joined by commas; `*` for all."),
    })
}
