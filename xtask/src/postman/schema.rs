//! Schemas of OpenAPI 3.0 as the JSON Schemas that Postman checks answers by.

use serde_json::{Map, Value, json};

use super::document::Document;

/// The formats that Postman's validator knows; it stops at any other.
const FORMATS: [&str; 6] = ["date-time", "date", "email", "uri", "ipv4", "ipv6"];
/// What is of OpenAPI, or is for people.
const FOREIGN: [&str; 12] = [
    "nullable",
    "example",
    "examples",
    "discriminator",
    "xml",
    "externalDocs",
    "readOnly",
    "writeOnly",
    "deprecated",
    "title",
    "description",
    "default",
];
/// A schema that goes deeper is one that holds itself.
const DEEPEST: usize = 16;

/// The same schema with every reference put in its place, and `nullable` said in JSON Schema's own words.
pub fn json_schema(document: &Document, schema: &Value) -> Value {
    converted(document, schema, 0)
}

fn converted(document: &Document, schema: &Value, depth: usize) -> Value {
    let schema = document.resolve(schema);
    let Some(fields) = schema.as_object().filter(|_| depth < DEEPEST) else { return json!({}) };
    let inner = |schema: &Value| converted(document, schema, depth + 1);
    let mut result = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("format", format) if !FORMATS.iter().any(|known| format == known) => continue,
            (key, _) if FOREIGN.contains(&key) || key.starts_with("x-") => continue,
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, property)| (name.clone(), inner(property))).collect()
            }
            ("items" | "not" | "additionalProperties", Value::Object(_)) => inner(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter().map(inner).collect(),
            _ => value.clone(),
        };
        result.insert(key.clone(), value);
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) { or_null(result) } else { Value::Object(result) }
}

fn or_null(mut schema: Map<String, Value>) -> Value {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind, "null"]);
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        return Value::Object(schema);
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document::of(json!({ "components": { "schemas": {
            "Age": { "type": "integer", "format": "int32", "description": "In years.", "maximum": 150 },
            "Tree": { "type": "object", "properties": { "child": { "$ref": "#/components/schemas/Tree" } } },
        } } }))
    }

    #[test]
    fn reference_is_inlined_without_unknown_keywords() {
        let schema = json!({ "type": "object", "properties": { "age": { "$ref": "#/components/schemas/Age" } } });
        assert_eq!(
            json_schema(&document(), &schema),
            json!({ "type": "object", "properties": { "age": { "type": "integer", "maximum": 150 } } })
        );
    }

    #[test]
    fn what_is_nullable_may_be_null() {
        let schema = json!({ "type": "string", "enum": ["a"], "nullable": true });
        assert_eq!(json_schema(&document(), &schema), json!({ "type": ["string", "null"], "enum": ["a", null] }));
        let schema = json!({ "allOf": [{ "type": "string" }], "nullable": true });
        assert_eq!(
            json_schema(&document(), &schema),
            json!({ "anyOf": [{ "allOf": [{ "type": "string" }] }, { "type": "null" }] })
        );
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let schema = json!({ "$ref": "#/components/schemas/Tree" });
        assert!(json_schema(&document(), &schema).to_string().len() < 2000);
    }

    #[test]
    fn a_property_may_be_called_like_a_keyword() {
        let schema = json!({ "properties": { "description": { "type": "string" }, "title": { "type": "string" } } });
        assert_eq!(json_schema(&document(), &schema), schema);
    }
}
