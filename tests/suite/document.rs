//! The API document: the served formats, the checked-in file, and the behaviour that they describe.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use domain::access::Role;
use flate2::read::GzDecoder;
use serde_json::Value;
use tests::client::Response;
use tests::program;
use tests::server::{Engine, Server};

#[tokio::test]
async fn served_document_matches_openapi_yaml() {
    let server = Server::start(Engine::Sqlite).await;
    let checked_in = fs::read_to_string(program::workspace().join("openapi.yaml")).unwrap();
    let response = server.anonymous().get("/openapi.yaml").await;
    assert_eq!(response.header("content-type"), "application/yaml");
    assert!(response.text() == checked_in, "openapi.yaml is out of date: run `cargo xtask openapi`");
}

#[tokio::test]
async fn document_is_compressed_if_client_accepts_gzip() {
    let server = Server::start(Engine::Sqlite).await;
    for path in ["/openapi.json", "/openapi.yaml", "/openapi-3.1.yaml"] {
        let plain = server.anonymous().get(path).await;
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        let request = server.anonymous().request("GET", path).header("accept-encoding", "gzip, br");
        let compressed = Response::fetch(request).await;
        assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
        let (size, plain_size) = (compressed.body.len(), plain.body.len());
        assert!(size < plain_size / 5, "{path}: {size} of {plain_size}");
        let mut decompressed = Vec::new();
        GzDecoder::new(&*compressed.body).read_to_end(&mut decompressed).unwrap();
        assert!(decompressed == plain.body, "{path}");
        for response in [plain, compressed] {
            assert!(response.headers.get_all("vary").iter().any(|name| name == "Accept-Encoding"), "{path}");
        }
    }
}

#[tokio::test]
async fn document_formats_have_same_content() {
    let server = Server::start(Engine::Sqlite).await;
    let json = server.anonymous().get("/openapi.json").await;
    assert_eq!(json.header("content-type"), "application/json");
    let yaml: Value = yaml_serde::from_str(&server.anonymous().get("/openapi.yaml").await.text()).unwrap();
    assert_eq!(json.expect(200), yaml);
    let newer: Value = yaml_serde::from_str(&server.anonymous().get("/openapi-3.1.yaml").await.text()).unwrap();
    assert_eq!(newer["openapi"], "3.1.0");
    assert_eq!(newer["paths"].as_object().unwrap().len(), yaml["paths"].as_object().unwrap().len());
}

#[tokio::test]
async fn only_deprecated_operations_send_deprecation_headers() {
    let server = Server::start(Engine::Sqlite).await;
    // Id 1 in the paths is the first user; the second sends the requests.
    server.add_user("first", Role::Viewer).await;
    let admin = server.add_user("second", Role::Admin).await;
    let mut deprecated = 0;
    for (path, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_deprecated = operation.get("deprecated") == Some(&true.into());
            deprecated += usize::from(is_deprecated);
            // The anonymous request is rejected before it reaches the operation.
            for client in [server.anonymous(), server.client_of(&admin).await] {
                let request = client.request(&method.to_ascii_uppercase(), &path.replace("{id}", "1"));
                let response = Response::fetch(request).await;
                for name in ["deprecation", "sunset"] {
                    let is_sent = response.headers.contains_key(name);
                    assert_eq!(is_sent, is_deprecated, "{method} {path} {}", response.status);
                }
            }
        }
    }
    assert_eq!(deprecated, 4);
}

#[test]
fn document_bounds_and_patterns_match_domain() {
    let document = app::http::document::tree();
    let properties = &document["components"]["schemas"]["StudentInput"]["properties"];
    assert_eq!(properties["roll_no"]["maximum"], domain::MAX_ID);
    assert_eq!(properties["email"]["pattern"], <domain::Email as domain::Text>::PATTERN);
    let parameters = document["paths"]["/students"]["get"]["parameters"].as_array().unwrap();
    let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
    assert_eq!((&limit["default"], &limit["maximum"]), (&50.into(), &1_000.into()));
}

#[test]
fn text_in_requests_is_bounded() {
    let document = app::http::document::tree();
    let mut unbounded = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = resolved(document, parameter);
                let place = match &parameter["in"] {
                    // Parameters of headers are shared.
                    Value::String(place) if place == "header" => format!("header {}", parameter["name"]),
                    _ => format!("{method} {path} {}", parameter["name"]),
                };
                gather_unbounded(document, &parameter["schema"], &place, &mut unbounded);
            }
            let body = resolved(document, &operation["requestBody"]);
            for (media_type, content) in body["content"].as_object().into_iter().flatten() {
                gather_unbounded(
                    document,
                    &content["schema"],
                    &format!("{method} {path} {media_type}"),
                    &mut unbounded,
                );
            }
        }
    }
    let known = [
        // The legacy server accepts any name. A text that is too long matches no student.
        r#"get /student "name""#,
        // A condition that is too long matches no record. Only the size limit of all headers applies.
        r#"header "If-Match""#,
        r#"header "If-None-Match""#,
    ];
    assert_eq!(unbounded, known.map(str::to_owned).into());
}

/// Collects each text below `schema` without a maximum length, a list of values or a format of bounded length.
fn gather_unbounded(document: &Value, schema: &Value, place: &str, unbounded: &mut BTreeSet<String>) {
    let schema = resolved(document, schema);
    let is_bounded = schema["maxLength"].is_u64()
        || ["enum", "const"].iter().any(|keyword| schema.get(*keyword).is_some())
        || schema["format"] == "date-time";
    let combined = || ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| schema[*keyword].as_array()).flatten();
    // Without a type, any text is valid.
    let is_text = schema["type"] == "string" || (schema["type"].is_null() && combined().next().is_none());
    if is_text && !is_bounded {
        unbounded.insert(place.to_owned());
    }
    let inner = ["items", "additionalProperties"].iter().filter_map(|keyword| schema.get(*keyword));
    for part in combined().chain(inner.filter(|part| part.is_object())) {
        gather_unbounded(document, part, place, unbounded);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        gather_unbounded(document, property, &format!("{place} {name}"), unbounded);
    }
}

/// The target of a reference, or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().map_or(value, |reference| document.pointer(reference.trim_start_matches('#')).unwrap())
}

/// Ruby and PHP interpret non-ASCII bytes differently from ECMAScript, and few engines support the other constructs.
#[test]
fn patterns_are_portable() {
    let mut patterns = Vec::new();
    gather_values(app::http::document::tree(), "pattern", &mut patterns);
    for pattern in &patterns {
        let pattern = pattern.as_str().unwrap();
        assert!(
            !pattern.split("\\x").skip(1).any(|hex| !hex.starts_with(|digit| ('0'..='7').contains(&digit))),
            "{pattern}"
        );
        for special in ["\\u", "\\p", "\\d", "\\w", "(?", "\\A", "\\z"] {
            assert!(!pattern.contains(special), "{pattern}");
        }
        assert!(pattern.is_ascii() && pattern.starts_with('^') && pattern.ends_with('$'), "{pattern}");
    }
    assert!(patterns.len() > 5);
}

/// A default in a response schema implies that the property can be absent.
#[test]
fn only_parameters_have_defaults() {
    let document = app::http::document::tree();
    let mut defaults = Vec::new();
    gather_values(&document["components"]["schemas"], "default", &mut defaults);
    assert!(defaults.is_empty(), "{defaults:?}");
}

/// Every value under a key of this name.
fn gather_values<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(name).filter(|value| !value.is_object()));
            object.values().for_each(|value| gather_values(value, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| gather_values(item, name, found)),
        _ => {}
    }
}

#[test]
fn operations_have_complete_metadata() {
    let document = app::http::document::tree();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for text in ["operationId", "summary", "description"] {
                assert!(operation[text].is_string(), "{method} {path} has no {text}");
            }
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path}");
            assert!(operation["responses"].get("default").is_none(), "{method} {path} has a default response");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let shared = response["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
                let response = shared.map_or(response, |pointer| document.pointer(pointer).unwrap());
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path} {status}"
                );
                let types = response["content"].as_object().map_or(0, serde_json::Map::len);
                assert!(types <= 1, "{method} {path} {status} has {types} media types");
            }
            assert_eq!(operation["deprecated"] == true, path == "/student", "{method} {path}");
        }
    }
}
