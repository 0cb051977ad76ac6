//! Tests of the gate: each kind of contradiction is found.

use serde_json::{Value, json};

use super::exchange::Exchange;
use super::judge::{Judge, documented};
use crate::document::Document;

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": { "/students/{id}": { "get": {
            "operationId": "getStudent",
            "responses": {
                "200": {
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Student" } } },
                    "headers": {
                        "ETag": { "required": true, "schema": { "type": "string", "pattern": "^\"" } },
                        "RateLimit-Left": { "schema": { "type": "integer" } },
                    },
                },
                "404": { "$ref": "#/components/responses/NotFound" },
            },
        } } },
        "components": {
            "responses": { "NotFound": {
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                "x-problem-types": ["/problems/gone"],
            } },
            "schemas": {
                "Student": {
                    "type": "object",
                    "required": ["name", "age"],
                    "properties": { "name": { "type": "string" }, "age": { "type": ["integer", "null"] } },
                },
                "Problem": { "type": "object", "required": ["status"] },
            },
        },
    })
}

/// A response as documented.
fn good() -> Value {
    json!({
        "method": "GET",
        "path": "/students/7?x=1",
        "status": 200,
        "headers": [["date", "today"], ["content-type", "application/json"], ["etag", "\"7-1\""]],
        "length": 9,
        "body": r#"{"name":"Asha","age":null}"#,
    })
}

fn missing() -> Value {
    json!({
        "method": "GET",
        "path": "/students/8",
        "status": 404,
        "headers": [["content-type", "application/problem+json"]],
        "length": 9,
        "body": r#"{"type":"/problems/gone","status":404}"#,
    })
}

/// The undocumented and the contradicting findings about these exchanges.
fn judged(document: &Value, exchanges: &[Value]) -> (Vec<String>, Vec<String>) {
    let document = Document::of(document).unwrap();
    let mut judge = Judge::new(&document);
    for exchange in exchanges {
        judge.judge(&Exchange::parse(&exchange.to_string()).unwrap());
    }
    (judge.undocumented.into_keys().collect(), judge.untrue.into_keys().collect())
}

fn with(mut exchange: Value, pointer: &str, value: Value) -> Value {
    *exchange.pointer_mut(pointer).unwrap() = value;
    exchange
}

#[test]
fn documented_exchanges_pass() {
    assert_eq!(judged(&document(), &[good(), missing()]), (vec![], vec![]));
}

#[test]
fn undocumented_response_is_found() {
    let undocumented = |exchange: Value| judged(&document(), &[exchange]).0;
    assert_eq!(undocumented(with(good(), "/status", json!(299))), ["getStudent 299"]);
    assert_eq!(undocumented(with(good(), "/headers/0/0", json!("X-New"))), ["getStudent 200 header x-new"]);
    assert_eq!(undocumented(with(good(), "/headers/1/1", json!("text/plain"))), ["getStudent 200 text/plain"]);
    assert_eq!(undocumented(with(good(), "/path", json!("/secret"))), ["GET /secret 200: no such operation"]);
    let other = json!(r#"{"type":"/problems/other","status":404}"#);
    assert_eq!(undocumented(with(missing(), "/body", other)), ["getStudent 404 /problems/other"]);
    let mut lost = document();
    lost.pointer_mut("/paths/~1students~1{id}/get/responses").unwrap().as_object_mut().unwrap().remove("404");
    assert_eq!(judged(&lost, &[missing()]).0, ["getStudent 404"]);
}

#[test]
fn contradiction_to_the_document_is_found() {
    let untrue = |exchange: Value| judged(&document(), &[exchange]).1;
    let body = |text: &str| with(good(), "/body", json!(text));
    assert_eq!(untrue(body(r#"{"name":7,"age":1}"#)), ["getStudent 200: value is not of type \"string\" at /name"]);
    assert_eq!(untrue(body(r#"{"name":"Asha"}"#)), ["getStudent 200: \"age\" is a required property at its root"]);
    assert_eq!(untrue(body("nonsense")).len(), 1);
    assert_eq!(untrue(with(good(), "/length", json!(0))), ["getStudent 200: no body"]);
    assert_eq!(
        untrue(with(good(), "/headers/2/0", json!("date"))),
        ["getStudent 200 header ETag: required, and absent"]
    );
    assert_eq!(untrue(with(good(), "/headers/2/1", json!("7-1"))).len(), 1, "no quote");
    assert_eq!(untrue(with(good(), "/headers/0", json!(["ratelimit-left", "many"]))).len(), 1, "no integer");
    assert_eq!(untrue(with(good(), "/headers/0", json!(["ratelimit-left", "7"]))).len(), 0);
    assert_eq!(untrue(with(missing(), "/body", json!(r#"{"status":500}"#))).len(), 1, "another status");
}

#[test]
fn outside_operations_only_problems_and_pages_pass() {
    let outside = |status: u16, media_type: &str, path: &str| {
        let exchange = with(with(missing(), "/status", json!(status)), "/path", json!(path));
        let exchange = with(exchange, "/body", json!(format!("{{\"status\":{status}}}")));
        judged(&document(), &[with(exchange, "/headers/0/1", json!(media_type))])
    };
    for status in [401, 404, 405] {
        assert_eq!(outside(status, "application/problem+json", "/nowhere"), (vec![], vec![]), "{status}");
    }
    assert_eq!(outside(404, "text/plain", "/nowhere").1, ["GET /nowhere 404: no problem document"]);
    assert_eq!(outside(200, "text/html", "/docs/"), (vec![], vec![]));
    assert_eq!(outside(200, "text/html", "/docs.html").0.len(), 1);
}

#[test]
fn documented_response_without_exchange_is_unseen() {
    let document = Document::of(&document()).unwrap();
    let mut judge = Judge::new(&document);
    for exchange in [good(), with(missing(), "/method", json!("HEAD"))] {
        judge.judge(&Exchange::parse(&exchange.to_string()).unwrap());
    }
    let all = documented(&document);
    let unseen: Vec<_> = all.difference(&judge.seen).map(ToString::to_string).collect();
    assert_eq!(
        unseen,
        ["getStudent 200 header RateLimit-Left", "getStudent 404", "getStudent 404 application/problem+json"]
    );
}
