//! Components in requests and in responses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::DocumentError;

const COMPONENTS: &str = "#/components/schemas/";

/// Rejects components that bound text (`maxLength`, `minLength` or a pattern) and are used both in requests and in responses:
/// a response would break clients that count characters in other units.
///
/// # Errors
/// [`DocumentError::BoundsInBothDirections`]
pub fn check(document: &Value) -> Result<(), DocumentError> {
    let (mut requests, mut responses) = (BTreeSet::new(), BTreeSet::new());
    for item in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
            reach(document, &operation["requestBody"], &mut requests);
            reach(document, &operation["parameters"], &mut requests);
            reach(document, &operation["responses"], &mut responses);
        }
    }
    let both = requests.intersection(&responses);
    let bounding: Vec<_> =
        both.filter(|name| bounds_text(&document["components"]["schemas"][name.as_str()])).cloned().collect();
    if bounding.is_empty() { Ok(()) } else { Err(DocumentError::BoundsInBothDirections(bounding)) }
}

/// Collects the names of the schemas that a part of the document refers to, directly or not.
fn reach(document: &Value, part: &Value, reached: &mut BTreeSet<String>) {
    match part {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let is_new = reference.strip_prefix(COMPONENTS).is_none_or(|name| reached.insert(name.to_owned()));
                if is_new && let Some(target) = document.pointer(reference.trim_start_matches('#')) {
                    reach(document, target, reached);
                }
            }
            object.values().for_each(|value| reach(document, value, reached));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, reached)),
        _ => {}
    }
}

fn bounds_text(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            let is_text = object.get("type").is_some_and(|kind| kind == "string") && !object.contains_key("enum");
            let bounds = ["minLength", "maxLength", "pattern"];
            (is_text && bounds.iter().any(|key| object.contains_key(*key))) || object.values().any(bounds_text)
        }
        Value::Array(items) => items.iter().any(bounds_text),
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
