//! What is true of the schemas: which properties are always there, what the catalogue of problems holds, and bounds.

use serde_json::{Value, json};

use super::objects;
use crate::http::problem::Kind;

/// Schemas of answers, in which a nullable property is always there.
const ANSWERS: [&str; 8] =
    ["Student", "StudentPage", "UserPage", "Session", "SessionPage", "AuditEvent", "AuditEventPage", "ArticleStudent"];

/// Bodies in which an unknown key is a fault. The others ignore it.
const STRICT: [&str; 6] =
    ["PasswordChange", "RefreshRequest", "StudentInput", "StudentPatch", "UserInput", "UserPatch"];

pub fn complete(schemas: &mut Value) {
    for name in STRICT {
        schemas[name]["additionalProperties"] = json!(false);
    }
    for name in ANSWERS {
        let schema = &mut schemas[name];
        let properties = schema["properties"].as_object().into_iter().flatten();
        let nullable: Vec<_> =
            properties.filter(|(_, property)| property["nullable"] == true).map(|(name, _)| json!(name)).collect();
        if let Some(required) = schema["required"].as_array_mut() {
            required.extend(nullable);
        }
    }
    for schema in objects(schemas) {
        // An example shows what is sent: what is left out of it is not null.
        let properties = schema["properties"].clone();
        if let Some(example) = schema.get_mut("example").and_then(Value::as_object_mut) {
            example.retain(|name, value| !value.is_null() || properties[name]["nullable"] == true);
        }
    }
    let types: Vec<_> = Kind::ALL.iter().map(|kind| format!("/problems/{}", kind.entry().slug)).collect();
    schemas["Problem"]["properties"]["type"]["enum"] = json!(types);
    schemas["Problem"]["properties"]["errors"]["maxItems"] = json!(128);
    schemas["Token"]["properties"]["token_type"]["enum"] = json!(["Bearer"]);
    schemas["ArticleMessage"]["properties"]["msg"]["enum"] = json!(["Record deleted...!!!"]);
}
