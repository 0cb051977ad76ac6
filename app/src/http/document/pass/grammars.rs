//! Grammars and bounds: what the domain's parsers take and its types write, under the names of what they parse.

use domain::session::RefreshToken;
use domain::student::{Email, StudentName};
use domain::user::Username;
use domain::{Cursor, PageSize};
use serde_json::{Value, json};

/// The most characters of a date of RFC 3339 with nanoseconds and an offset.
const DATE_TIME: u32 = 35;
/// Whatever is not blank: prose.
const PROSE: &str = "\\S";
const BASE64URL: &str = "^[A-Za-z0-9_-]+$";
const ADDRESS: &str = "^[0-9A-Fa-f.:]+$";
/// Ids are written without leading zeros; those of more digits are nobody's.
const ACTOR: &str = "^(user:[1-9][0-9]{0,15}|operator|service|anonymous)$";
const TARGET: &str = r"^((student|user|session):[1-9][0-9]{0,15}|(operation|key):[^\x00-\x1F\x7F-\x9F]{1,128})$";

/// Writes them everywhere, and bounds of integers as integers.
pub fn write(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let parameter = object.get("in").is_some().then(|| object.get("name").cloned()).flatten();
            if let (Some(Value::String(name)), Some(schema)) = (parameter, object.get_mut("schema")) {
                write_one(&name, schema);
            }
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
                properties.iter_mut().for_each(|(name, schema)| write_one(name, schema));
            }
            if object.get("format") == Some(&json!("date-time")) && object.contains_key("type") {
                object.insert("maxLength".to_owned(), json!(DATE_TIME));
            }
            whole_bounds(object);
            // An example is somebody's data, whatever its keys are.
            let inner = object.iter_mut().filter(|(key, _)| !["example", "examples", "value"].contains(&key.as_str()));
            inner.for_each(|(_, value)| write(value));
        }
        Value::Array(items) => items.iter_mut().for_each(write),
        _ => {}
    }
}

fn write_one(name: &str, schema: &mut Value) {
    if schema["type"] != "string" {
        if name == "limit" {
            schema["default"] = json!(PageSize::default().get());
        }
        return;
    }
    let (pattern, format, most) = match name {
        "after" | "next" => (Some(Cursor::PATTERN), None, Some(16)),
        // Without the format `email`, whose readers take less (no dot in front) and more (quotes) than this.
        "email" | "emailid" => (Some(Email::PATTERN), None, None),
        "name" if schema["minLength"] == 1 => (Some(StudentName::PATTERN), None, None),
        // A longer one is no fault: it is a part of nobody's name.
        "name" => (Some("^[\\s\\S]*$"), None, None),
        "username" => (Some(Username::PATTERN), None, None),
        "Password" | "password" | "current_password" | "new_password" => (None, Some("password"), None),
        "refresh_token" => (Some(RefreshToken::PATTERN), None, None),
        "token" => (Some("^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$"), None, None),
        "kid" | "x" | "y" => (Some(BASE64URL), None, None),
        "client" => (Some(ADDRESS), None, None),
        "actor" => (Some(ACTOR), None, None),
        "target" => (Some(TARGET), None, None),
        "request_id" => (Some("^[A-Za-z0-9._-]{1,128}$"), None, Some(128)),
        "user_agent" | "Username" => (Some("^[\\s\\S]+$"), None, None),
        "pointer" => (Some("^(/([^~/]|~[01])*)*$"), None, Some(2_097_152)),
        "parameter" => (Some("^[\\s\\S]*$"), None, Some(8192)),
        "title" | "detail" | "description" | "msg" => (Some(PROSE), None, Some(1024)),
        _ => return,
    };
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value
            && schema[key].is_null()
            && schema["enum"].is_null()
        {
            schema[key] = value;
        }
    };
    set("pattern", pattern.map(Value::from));
    set("format", format.map(Value::from));
    set("maxLength", most.map(Value::from));
}

/// Writes integers' bounds as integers, and their formats as OpenAPI knows them.
fn whole_bounds(object: &mut serde_json::Map<String, Value>) {
    if let Some(format @ Value::String(_)) = object.get_mut("format")
        && (*format == "uint8" || *format == "uint16")
    {
        *format = json!("int32");
    }
    for key in ["minimum", "maximum"] {
        if let Some(bound) = object.get_mut(key)
            && let Some(number) = bound.as_f64()
            && number.fract() == 0.0
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within 53 bits")]
            let whole = number as i64;
            *bound = json!(whole);
        }
    }
}
