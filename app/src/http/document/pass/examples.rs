//! Examples of requests and of answers. Those of requests work on a fresh demo.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The examples of each operation, by its id, and those of parameters that all operations share.
#[expect(
    clippy::expect_used,
    reason = "at start, and only where the file that is compiled in is no YAML; tests read it"
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
        illustrate(content, &examples["request"], schemas);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let good = status.starts_with('2');
        let contents = response.get_mut("content").and_then(Value::as_object_mut);
        for content in contents.into_iter().flat_map(serde_json::Map::values_mut).filter(|_| good) {
            illustrate(content, &examples["answers"][status], schemas);
        }
    }
}

/// Named examples where there are some, else the one of the schema.
fn illustrate(content: &mut Value, named: &Value, schemas: &Value) {
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
