//! The headers `If-Match` and `If-None-Match` (RFC 9110, section 13.1) of operations that respond with 412 or 304. They are not
//! poem-openapi parameters, because those read only one line of a header.

use serde_json::{Value, json};

/// A list of entity tags, or `*` (RFC 9110, section 8.8.3).
const PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

/// Adds the header that an operation evaluates.
pub fn add(operation: &mut Value) {
    let responds = |status| operation["responses"].get(status).is_some();
    let name = match (responds("412"), responds("304")) {
        (true, _) => "If-Match",
        (false, true) => "If-None-Match",
        (false, false) => return,
    };
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
}

/// The parameters of both headers.
pub fn shared() -> Value {
    let condition = |name: &str, description: &str| {
        let schema = json!({ "type": "string", "pattern": PATTERN });
        json!({ "name": name, "in": "header", "description": description, "required": false, "schema": schema })
    };
    json!({
        "If-Match": condition("If-Match", "Comma-separated entity tags, or `*` for any version. If none matches the current version, the response is 412; if the value has another form, 400."),
        "If-None-Match": condition("If-None-Match", "Comma-separated entity tags, or `*` for any version. If one matches the current version, the response is 304."),
    })
}
