//! The one pass over poem-openapi's document: what is true of the service and the library cannot say.

use domain::student::Email;
use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::problem::{Kind, PROBLEM_JSON};

/// Header names as the standards write them; poem-openapi writes them in capitals.
const HEADERS: [&str; 4] = ["Cache-Control", "ETag", "Link", "Location"];

/// The order in which the groups of operations tell their story.
const TAGS: [&str; 4] = ["Sessions", "Students", "Articles", "Service"];

/// Schemas of answers, in which a nullable property is always there.
const ANSWERS: [&str; 3] = ["Student", "StudentPage", "ArticleStudent"];

/// The document with everything that is true.
pub fn completed(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    order_tags(&mut document);
    for item in objects(&mut document["paths"]) {
        for operation in objects(item) {
            complete_operation(operation);
        }
    }
    complete_schemas(&mut document["components"]["schemas"]);
    whole_bounds(&mut document);
    document
}

fn order_tags(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(|tag| TAGS.iter().position(|known| tag["name"] == *known));
    }
}

fn complete_operation(operation: &mut Value) {
    let public = operation.get("security").is_none();
    if public {
        // Said out loud, for readers who would otherwise take it for forgotten.
        operation["security"] = json!([]);
    }
    let takes_body = operation.get("requestBody").is_some();
    let looks_at_type = takes_body && operation["responses"].get("400").is_none();
    let mut edge = vec![Kind::Internal];
    if makes_content(operation) {
        edge.push(Kind::NotAcceptable);
    }
    if !public {
        edge.extend([Kind::Unauthorized, Kind::Unavailable]);
    }
    if takes_body {
        edge.extend([Kind::RequestTimeout, Kind::PayloadTooLarge]);
    }
    if looks_at_type {
        edge.extend([Kind::MalformedBody, Kind::UnsupportedMediaType]);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for kind in edge {
        let entry = kind.entry();
        responses.entry(entry.status.as_str()).or_insert_with(|| problem(entry.detail));
    }
    responses.sort_keys();
    for (status, response) in responses {
        complete_response(status, response);
    }
}

fn makes_content(operation: &Value) -> bool {
    let mut responses = operation["responses"].as_object().into_iter().flatten();
    responses.any(|(status, response)| status.starts_with('2') && response.get("content").is_some())
}

fn problem(description: &str) -> Value {
    json!({
        "description": description,
        "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn complete_response(status: &str, response: &mut Value) {
    let headers = std::mem::take(&mut response["headers"]);
    let mut named = Map::new();
    for (name, header) in headers.as_object().into_iter().flatten() {
        let known = HEADERS.iter().find(|known| known.eq_ignore_ascii_case(name));
        named.insert(known.map_or(name.clone(), ToString::to_string), header.clone());
    }
    named.insert("X-Request-Id".into(), header("What the log calls this request.", true));
    match status.parse::<StatusCode>() {
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            named.insert("WWW-Authenticate".into(), header("How to authenticate (RFC 6750, section 3).", true));
        }
        Ok(StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
            named.insert("Accept".into(), header("The media types that are taken.", true));
        }
        Ok(StatusCode::SERVICE_UNAVAILABLE) => {
            named.insert("Retry-After".into(), header("Seconds until another try is worth it.", true));
        }
        _ => {}
    }
    for header in named.values_mut() {
        if let Some(header) = header.as_object_mut() {
            header.retain(|key, value| key != "deprecated" || value != false);
        }
    }
    response["headers"] = Value::Object(named);
}

fn header(description: &str, required: bool) -> Value {
    json!({ "description": description, "required": required, "schema": { "type": "string" } })
}

fn complete_schemas(schemas: &mut Value) {
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
        for name in ["email", "emailid"] {
            if let Some(property) = schema.get_mut("properties").and_then(|properties| properties.get_mut(name)) {
                property["format"] = json!("email");
                property["pattern"] = json!(Email::PATTERN);
            }
        }
        // An example shows what is sent: what is left out of it is not null.
        let properties = schema["properties"].clone();
        if let Some(example) = schema.get_mut("example").and_then(Value::as_object_mut) {
            example.retain(|name, value| !value.is_null() || properties[name]["nullable"] == true);
        }
    }
}

/// Writes bounds of integers as integers.
fn whole_bounds(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_f64() {
                    #[expect(clippy::cast_possible_truncation, reason = "whole, and within 53 bits")]
                    Some(bound) if ["minimum", "maximum"].contains(&key.as_str()) && bound.fract() == 0.0 => {
                        *value = json!(bound as i64);
                    }
                    _ => whole_bounds(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_bounds),
        _ => {}
    }
}

fn objects(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|value| value.is_object())
}
