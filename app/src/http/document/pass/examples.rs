//! Examples of requests and responses. Request examples succeed on a new demo.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// Examples by operation id, and the shared examples of parameters.
#[expect(
    clippy::expect_used,
    reason = "fails at start only, if the compiled-in file is not YAML; every test detects that"
)]
static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| yaml_serde::from_str(include_str!("../examples.yaml")).expect("examples.yaml is YAML"));

/// Adds the examples of an operation.
pub fn add(operation: &mut Value, schemas: &Value) {
    let examples = &EXAMPLES[operation["operationId"].as_str().unwrap_or_default()];
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(name) = parameter["name"].as_str() else { continue };
        if let Some(example) = examples["parameters"].get(name).or_else(|| EXAMPLES["parameters"].get(name)) {
            parameter["example"] = example.clone();
        }
    }
    let bodies = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    for content in bodies.into_iter().flat_map(serde_json::Map::values_mut) {
        add_to_content(content, &examples["request"], schemas);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let is_success = status.starts_with('2');
        let contents = response.get_mut("content").and_then(Value::as_object_mut);
        for content in contents.into_iter().flat_map(serde_json::Map::values_mut).filter(|_| is_success) {
            add_to_content(content, &examples["responses"][status], schemas);
        }
    }
}

/// Adds the named examples, or if there are none, the schema's example.
fn add_to_content(content: &mut Value, named: &Value, schemas: &Value) {
    if named.is_object() {
        content["examples"] = named.clone();
        return;
    }
    let name = content["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let example = name.map_or(&Value::Null, |name| &schemas[name]["example"]);
    if !example.is_null() {
        let summary = schemas[name.unwrap_or_default()]["description"].as_str().unwrap_or("An example.");
        let summary = summary.lines().next().unwrap_or_default();
        content["examples"] = json!({ "example": { "summary": summary, "value": example } });
    }
}
