//! Check of the components that both requests and responses use.

use std::collections::BTreeSet;

use serde_json::Value;

use super::DocumentError;

const COMPONENTS: &str = "#/components/schemas/";

/// Rejects components with bounds on text (`maxLength`, `minLength` or `pattern`) that both requests and responses use: clients
/// that count characters in another unit would reject valid responses.
///
/// # Errors
/// [`DocumentError::BoundsInBothDirections`]
pub fn check(document: &Value) -> Result<(), DocumentError> {
    let (mut requests, mut responses) = (BTreeSet::new(), BTreeSet::new());
    for item in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
            collect_schemas(document, &operation["requestBody"], &mut requests);
            collect_schemas(document, &operation["parameters"], &mut requests);
            collect_schemas(document, &operation["responses"], &mut responses);
        }
    }
    let both = requests.intersection(&responses);
    let bounded: Vec<_> =
        both.filter(|name| has_text_bounds(&document["components"]["schemas"][name.as_str()])).cloned().collect();
    if bounded.is_empty() { Ok(()) } else { Err(DocumentError::BoundsInBothDirections(bounded)) }
}

/// Collects the names of all schemas that a part of the document refers to, transitively.
fn collect_schemas(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let is_new = reference.strip_prefix(COMPONENTS).is_none_or(|name| names.insert(name.to_owned()));
                if is_new && let Some(target) = document.pointer(reference.trim_start_matches('#')) {
                    collect_schemas(document, target, names);
                }
            }
            object.values().for_each(|value| collect_schemas(document, value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_schemas(document, item, names)),
        _ => {}
    }
}

fn has_text_bounds(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            let is_text = object.get("type").is_some_and(|kind| kind == "string") && !object.contains_key("enum");
            let bounds = ["minLength", "maxLength", "pattern"];
            (is_text && bounds.iter().any(|key| object.contains_key(*key))) || object.values().any(has_text_bounds)
        }
        Value::Array(items) => items.iter().any(has_text_bounds),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounded_component_in_both_directions_is_an_error() {
        let document = |schema: Value| {
            let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Outer" } } });
            json!({
                "paths": { "/x": { "put": {
                    "requestBody": { "content": content },
                    "responses": { "200": { "content": content } },
                } } },
                "components": { "schemas": {
                    "Outer": { "type": "object", "properties": { "inner": { "$ref": "#/components/schemas/Inner" } } },
                    "Inner": schema,
                } },
            })
        };
        for wrong in [json!({ "type": "string", "maxLength": 9 }), json!({ "type": "string", "pattern": "^a$" })] {
            let error = DocumentError::BoundsInBothDirections(vec!["Inner".to_owned()]);
            assert_eq!(check(&document(wrong)), Err(error));
        }
        for fine in [json!({ "type": "string" }), json!({ "type": "string", "enum": ["a"], "maxLength": 1 })] {
            assert_eq!(check(&document(fine)), Ok(()));
        }
    }
}
