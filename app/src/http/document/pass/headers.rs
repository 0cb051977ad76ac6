//! The headers of every response, spelled as in the standards.

use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::access::Access;
use crate::http::request::ANY_MEDIA_TYPE;

/// Headers that operations declare themselves, in their standard spelling: poem-openapi writes them in capitals.
const OWN: [&str; 6] = ["Cache-Control", "Content-Disposition", "Content-Encoding", "ETag", "Link", "Location"];

/// Documents the headers of each response of an operation.
pub fn complete(operation: &mut Value, access: Access) {
    let deprecated = operation["deprecated"] == true;
    let any_media_type = operation["requestBody"]["description"] == ANY_MEDIA_TYPE;
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let status = status.parse().unwrap_or(StatusCode::OK);
        complete_response(status, access, deprecated, response);
        if any_media_type && let Some(headers) = response["headers"].as_object_mut() {
            headers.remove("Accept");
        }
    }
}

fn complete_response(status: StatusCode, access: Access, deprecated: bool, response: &mut Value) {
    let headers = std::mem::take(&mut response["headers"]);
    let mut completed = Map::new();
    for (name, header) in headers.as_object().into_iter().flatten() {
        if let Some(name) = OWN.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            completed.insert((*name).to_owned(), with_grammar(name, header));
        }
    }
    let mut shared = vec!["X-Request-Id", "X-Content-Type-Options", "Referrer-Policy"];
    shared.extend(["Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"]);
    if deprecated {
        shared.extend(["Deprecation", "Sunset"]);
    }
    if !access.is_public() || status.as_u16() >= 400 {
        shared.push("Cache-Control");
    }
    if status.as_u16() < 500 && access != Access::Unmetered {
        shared.extend(["RateLimit", "RateLimit-Policy"]);
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => shared.push("WWW-Authenticate"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => shared.extend(["Accept", "Accept-Encoding"]),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => shared.push("Retry-After"),
        _ => {}
    }
    for name in shared {
        completed.entry(name).or_insert_with(|| json!({ "$ref": format!("#/components/headers/{name}") }));
    }
    response["headers"] = Value::Object(completed);
}

/// A header that an operation declares itself, with its grammar.
fn with_grammar(name: &str, header: &Value) -> Value {
    let schema = match name {
        "ETag" => json!({ "type": "string", "maxLength": 64, "pattern": "^\"[a-z]+-[1-9][0-9]*-[1-9][0-9]*\"$" }),
        "Link" => json!({ "type": "string", "maxLength": 2048, "pattern": "^<[^<>]+>; rel=\"next\"$" }),
        "Location" => json!({ "type": "string", "maxLength": 1024, "pattern": "^/([^/]+/)*[1-9][0-9]*$" }),
        "Cache-Control" => json!({ "type": "string", "maxLength": 64, "pattern": "^[a-z0-9=-]+(, [a-z0-9=-]+)*$" }),
        "Content-Disposition" => {
            json!({ "type": "string", "maxLength": 64, "pattern": "^attachment; filename=\"[a-z]+\\.[a-z]+\"$" })
        }
        "Content-Encoding" => json!({ "type": "string", "enum": ["gzip"] }),
        _ => header["schema"].clone(),
    };
    let mut header = header.clone();
    header["schema"] = schema;
    if let Some(header) = header.as_object_mut() {
        header.retain(|key, value| key != "deprecated" || value != false);
    }
    header
}

/// The headers that operations share; `required` if each response that lists the header has it.
pub fn shared() -> Value {
    let header = |description: &str, required: bool, grammar: Value, example: &str| {
        let mut schema = json!({ "type": "string" });
        if let (Some(schema), Value::Object(grammar)) = (schema.as_object_mut(), grammar) {
            schema.extend(grammar);
        }
        json!({ "description": description, "required": required, "schema": schema, "example": example })
    };
    let pattern = |pattern: &str, max_length: u32| json!({ "maxLength": max_length, "pattern": pattern });
    json!({
        "X-Request-Id": header(
            "Id of the request in the server's log: the `X-Request-Id` of the request if it consists of 1 to 128 letters, digits, dots, underscores and hyphens, otherwise a generated id.",
            true, pattern("^[A-Za-z0-9._-]{1,128}$", 128), "63af6b99-4"),
        "X-Content-Type-Options": header("Always `nosniff`.", true, json!({ "enum": ["nosniff"] }), "nosniff"),
        "Referrer-Policy": header("Always `no-referrer`.", true, json!({ "enum": ["no-referrer"] }), "no-referrer"),
        "Access-Control-Allow-Origin": header(
            "Origin of the request, if the server is configured to let its pages read responses (CORS). Absent otherwise.",
            false, pattern("^https?://[^/?#]+$", 512), "https://roll.example.org"),
        "Access-Control-Expose-Headers": header(
            "Response headers that pages of that origin can read (CORS). Absent without `Access-Control-Allow-Origin`.",
            false, pattern("^[A-Za-z-]+(, [A-Za-z-]+)*$", 1024), "ETag, Link"),
        "Vary": header(
            "Request headers on which the response depends: `Origin` if the server is configured for CORS, and `Accept-Encoding` if the response can be compressed.",
            false, pattern("^[A-Za-z-]+(, [A-Za-z-]+)*$", 64), "Origin"),
        "Cache-Control": header(
            "`no-store` for problems, `private, no-cache` for other responses of operations that require a token.",
            true, json!({ "enum": ["no-store", "private, no-cache"] }), "no-store"),
        "WWW-Authenticate": header(
            "Authentication scheme and error (RFC 6750, section 3).",
            true, pattern("^Bearer realm=\"rollbook\"(, error=\"(invalid_token|insufficient_scope)\")?$", 128),
            "Bearer realm=\"rollbook\""),
        "Accept": header(
            "Accepted media types, if the media type of the request body was rejected.",
            false, pattern("^[a-z]+/[a-z0-9.+-]+(, [a-z]+/[a-z0-9.+-]+)*$", 256), "application/json"),
        "Accept-Encoding": header("`identity`, if the content coding of the request body was rejected.", false, json!({ "enum": ["identity"] }), "identity"),
        "Deprecation": header(
            "Start of the deprecation: `@` and the seconds since 1970-01-01T00:00:00Z (RFC 9745).",
            true, pattern("^@[0-9]{1,12}$", 16), "@1795392000"),
        "Sunset": header(
            "Earliest time at which the operation can be removed: an HTTP date (RFC 8594).",
            true, pattern("^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$", 29),
            "Mon, 24 Nov 2036 00:00:00 GMT"),
        "RateLimit": header(
            "Remaining quota (`r`) of each policy, and seconds until it increases (`t`). `requests` counts the requests of a user, or of an address without a valid token. Responses to a login also contain `address`, which counts the failed logins of the client address, and `account`, which counts the consecutive failed logins of the account; without `account`, the login was rejected because of the address. The `account` quota does not refill with time: `t` is the delay before the next attempt, and a successful login or an administrator resets the count.",
            true, pattern("^\"[a-z]+\";r=[0-9]+;t=[0-9]+(, \"[a-z]+\";r=[0-9]+;t=[0-9]+)*$", 256),
            "\"requests\";r=5999;t=1"),
        "RateLimit-Policy": header(
            "Quota (`q`) of each policy, and its refill period in seconds (`w`). For `account`, `w` is the maximum delay before an attempt.",
            true, pattern("^\"[a-z]+\";q=[0-9]+;w=[0-9]+(, \"[a-z]+\";q=[0-9]+;w=[0-9]+)*$", 256),
            "\"requests\";q=6000;w=60"),
        "Retry-After": {
            "description": "Delay before a retry, in seconds. A locked account stays locked until an administrator unlocks it.",
            "required": true,
            "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 86400 },
            "example": 1
        },
    })
}
