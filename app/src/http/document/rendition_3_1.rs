//! Conversion of the document from OpenAPI 3.0 to 3.1, which uses JSON Schema 2020-12.

use serde_json::{Map, Value, json};

/// Keywords that contain one schema, and those that contain a list of schemas.
const ONE: [&str; 3] = ["items", "additionalProperties", "not"];
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Converts a document from OpenAPI 3.0 to 3.1.
pub fn convert(document: &Value) -> Value {
    let mut document = document.clone();
    document["openapi"] = json!("3.1.0");
    if let Some(license) = document["info"]["license"].as_object_mut() {
        license.remove("url");
        let name = license.get("name").cloned();
        license.extend(name.map(|name| ("identifier".to_owned(), name)));
    }
    for schema in document["components"]["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        rewrite(schema);
    }
    rewrite_embedded(&mut document);
    document
}

/// Rewrites the schemas of parameters, headers and contents.
fn rewrite_embedded(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match key.as_str() {
                    "schema" => rewrite(value),
                    // Data, in which `schema` is no keyword; or rewritten already.
                    "example" | "examples" | "schemas" => {}
                    _ => rewrite_embedded(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_embedded),
        _ => {}
    }
}

fn rewrite(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (key, value) in object.iter_mut() {
        match key.as_str() {
            "properties" => value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(rewrite),
            key if ONE.contains(&key) => rewrite(value),
            key if LISTS.contains(&key) => value.as_array_mut().into_iter().flatten().for_each(rewrite),
            _ => {}
        }
    }
    if let Some(example) = object.remove("example") {
        object.insert("examples".to_owned(), json!([example]));
    }
    if object.remove("nullable") != Some(Value::Bool(true)) {
        return;
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.push(Value::Null);
    }
    if let Some(kind) = object.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nullable_and_example_are_converted_to_3_1() {
        let old = json!({
            "openapi": "3.0.3",
            "info": { "license": { "name": "MIT", "url": "https://example.org" } },
            "paths": { "/x": { "get": { "parameters": [{ "schema": { "type": "string", "nullable": true, "enum": ["a"] }, "example": "a" }] } } },
            "components": { "schemas": { "A": {
                "type": "object",
                "properties": { "age": { "type": "integer", "nullable": true } },
                "example": { "nullable": true },
            } } },
        });
        let new = convert(&old);
        assert_eq!(new["info"]["license"], json!({ "name": "MIT", "identifier": "MIT" }));
        let parameter = &new["paths"]["/x"]["get"]["parameters"][0];
        assert_eq!(
            *parameter,
            json!({ "schema": { "type": ["string", "null"], "enum": ["a", null] }, "example": "a" })
        );
        let schema = &new["components"]["schemas"]["A"];
        assert_eq!(schema["examples"], json!([{ "nullable": true }]));
        assert_eq!(schema["properties"]["age"], json!({ "type": ["integer", "null"] }));
    }

    #[test]
    fn rendition_3_1_has_no_nullable() {
        let text = convert(super::super::tree()).to_string();
        assert!(!text.contains("\"nullable\""));
    }
}
