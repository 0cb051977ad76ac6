//! Schemas of what a patch can clear.

use serde_json::{Map, Value, json};

/// The property, and the name that its schema gets.
const CLEARABLE: (&str, &str) = ("age", "NullableAge");

/// Gives what a patch can clear a schema of its own. Where it stands inline, generators for languages that know one way
/// of leaving a value out (progenitor) take null for absent, and their clients can clear nothing.
pub fn name(schemas: &mut Value) {
    let Some(schemas) = schemas.as_object_mut() else { return };
    let (property, name) = CLEARABLE;
    let patches = schemas.iter_mut().filter(|(schema, _)| schema.ends_with("Patch"));
    let mut named = Map::new();
    for (_, patch) in patches {
        if let Some(schema) = patch["properties"].get_mut(property) {
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            let mut schema = std::mem::replace(schema, reference);
            schema["title"] = json!(name);
            named.insert(name.to_owned(), schema);
        }
    }
    schemas.extend(named);
    schemas.sort_keys();
}
