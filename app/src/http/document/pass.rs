//! The one pass over poem-openapi's document: what is true of the service and the library cannot say.

use domain::student::{Email, StudentName};
use domain::user::Role;
use domain::{Cursor, PageSize};
use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::access::Access;
use crate::http::problem::{Kind, PROBLEM_JSON};

/// Header names as the standards write them; poem-openapi writes them in capitals.
const HEADERS: [&str; 6] = ["Cache-Control", "ETag", "Link", "Location", "RateLimit", "RateLimit-Policy"];

/// The order in which the groups of operations tell their story.
const TAGS: [&str; 6] = ["Sessions", "Students", "Users", "Audit", "Articles", "Service"];

/// Schemas of answers, in which a nullable property is always there.
const ANSWERS: [&str; 8] =
    ["Student", "StudentPage", "UserPage", "Session", "SessionPage", "AuditEvent", "AuditEventPage", "ArticleStudent"];

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
    document["components"]["headers"] = shared_headers();
    write_grammars(&mut document);
    whole_bounds(&mut document);
    document
}

fn order_tags(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(|tag| TAGS.iter().position(|known| tag["name"] == *known));
    }
}

fn complete_operation(operation: &mut Value) {
    let access = operation["operationId"].as_str().and_then(Access::of);
    let public = access == Some(Access::Anybody);
    let deprecated = operation["deprecated"] == true;
    if public {
        // Said out loud, for readers who would otherwise take it for forgotten.
        operation["security"] = json!([]);
    }
    if let (Some(access), Some(description)) = (access, operation["description"].as_str()) {
        operation["description"] = json!(format!("{description}\n\n{}", access.sentence()));
    }
    add_conditions(operation);
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
    if let Some(Access::Role(role)) = access {
        responses.insert("403".to_owned(), problem(why_forbidden(role)));
    }
    share_rate_limits(responses);
    responses.sort_keys();
    for (status, response) in responses {
        complete_response(status, public, deprecated, response);
    }
}

/// Adds the conditions (RFC 9110, section 13.1) to what answers 304 or 412. They are read from every line of their
/// header, which an extractor of one value could not do.
fn add_conditions(operation: &mut Value) {
    let answers = |status| operation["responses"].get(status).is_some();
    let (reads, writes) = (answers("304"), answers("412"));
    let mut conditions = Vec::new();
    if writes {
        conditions.push(condition("If-Match", "The `ETag` of the version that may be written; any other is a 412."));
        conditions.push(condition("If-None-Match", "The `ETag`s of versions that may not be written; `*` for all."));
    } else if reads {
        conditions.push(condition("If-None-Match", "The `ETag` of the version that the client has; then 304."));
    }
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.extend(conditions);
    }
}

fn condition(name: &str, description: &str) -> Value {
    let schema = json!({ "type": "string", "maxLength": 1024 });
    json!({ "name": name, "in": "header", "description": description, "required": false, "schema": schema })
}

/// Every user is a viewer at least: nobody who has a token lacks the role for what viewers may do.
const fn why_forbidden(role: Role) -> &'static str {
    match role {
        Role::Viewer => Kind::PasswordChangeDue.entry().detail,
        Role::Registrar | Role::Admin => {
            "The role is too low, or the password has to be changed before anything else; `type` tells which."
        }
    }
}

/// What tells how much is left of a quota when all goes well tells it also when it does not.
fn share_rate_limits(responses: &mut Map<String, Value>) {
    let headers = responses.get("200").and_then(|response| response["headers"].as_object()).into_iter().flatten();
    let limits: Vec<_> = headers
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("ratelimit"))
        .map(|(name, header)| (name.clone(), header.clone()))
        .collect();
    for status in ["401", "429"] {
        if let Some(response) = responses.get_mut(status).filter(|_| !limits.is_empty()) {
            response["headers"] = Value::Object(limits.iter().cloned().collect());
        }
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

fn complete_response(status: &str, public: bool, deprecated: bool, response: &mut Value) {
    let headers = std::mem::take(&mut response["headers"]);
    let mut named = Map::new();
    for (name, header) in headers.as_object().into_iter().flatten() {
        let known = HEADERS.iter().find(|known| known.eq_ignore_ascii_case(name));
        named.insert(known.map_or(name.clone(), ToString::to_string), header.clone());
    }
    let status = status.parse().unwrap_or(StatusCode::OK);
    let mut shared = vec!["X-Request-Id", "X-Content-Type-Options", "Referrer-Policy"];
    if deprecated {
        shared.extend(["Deprecation", "Sunset"]);
    }
    if !public || status.as_u16() >= 400 {
        shared.push("Cache-Control");
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => shared.push("WWW-Authenticate"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => shared.extend(["Accept", "Accept-Encoding"]),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => shared.push("Retry-After"),
        _ => {}
    }
    for name in shared {
        named.entry(name).or_insert_with(|| json!({ "$ref": format!("#/components/headers/{name}") }));
    }
    for header in named.values_mut() {
        if let Some(header) = header.as_object_mut() {
            header.retain(|key, value| key != "deprecated" || value != false);
        }
    }
    response["headers"] = Value::Object(named);
}

/// The headers that many answers have, each with whether every such answer has it.
fn shared_headers() -> Value {
    let header = |description: &str, required: bool| json!({ "description": description, "required": required, "schema": { "type": "string", "maxLength": 256 } });
    json!({
        "X-Request-Id": header("What the log calls this request: the request's own X-Request-Id where it is 1 to 128 letters, digits, dots, underscores and hyphens.", true),
        "X-Content-Type-Options": header("Always `nosniff`.", true),
        "Referrer-Policy": header("Always `no-referrer`.", true),
        "Cache-Control": header("`no-store` for problems, `private, no-cache` for what one caller may see.", true),
        "WWW-Authenticate": header("How to authenticate (RFC 6750, section 3).", true),
        "Accept": header("The media types that are taken, where the body's is not.", false),
        "Accept-Encoding": header("`identity`, where the body was encoded.", false),
        "Deprecation": header("Since when there is something better: a date of structured fields (RFC 9745).", true),
        "Sunset": header("Until when the operation stays at least: an HTTP date (RFC 8594).", true),
        "Retry-After": header("Seconds until another try is worth it.", true),
    })
}

/// Writes what the domain's parsers take, under the names of what they parse.
fn write_grammars(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let parameter = object.get("in").is_some().then(|| object.get("name").cloned()).flatten();
            if let (Some(Value::String(name)), Some(schema)) = (parameter, object.get_mut("schema")) {
                write_grammar(&name, schema);
            }
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
                properties.iter_mut().for_each(|(name, schema)| write_grammar(name, schema));
            }
            object.values_mut().for_each(write_grammars);
        }
        Value::Array(items) => items.iter_mut().for_each(write_grammars),
        _ => {}
    }
}

fn write_grammar(name: &str, schema: &mut Value) {
    let pattern = match name {
        "after" | "next" => Cursor::PATTERN,
        "email" | "emailid" => {
            schema["format"] = json!("email");
            Email::PATTERN
        }
        "name" if schema["minLength"] == 1 => StudentName::PATTERN,
        "limit" => {
            schema["default"] = json!(PageSize::default().get());
            return;
        }
        _ => return,
    };
    schema["pattern"] = json!(pattern);
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
        // An example shows what is sent: what is left out of it is not null.
        let properties = schema["properties"].clone();
        if let Some(example) = schema.get_mut("example").and_then(Value::as_object_mut) {
            example.retain(|name, value| !value.is_null() || properties[name]["nullable"] == true);
        }
    }
}

/// Writes integers' bounds as integers, and their formats as OpenAPI knows them.
fn whole_bounds(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(format @ Value::String(_)) = object.get_mut("format")
                && (*format == "uint8" || *format == "uint16")
            {
                *format = json!("int32");
            }
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
