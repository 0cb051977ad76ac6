use serde_json::{Value, json};

use super::*;
use crate::workspace::root;

/// The checked-in document.
fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
    yaml_serde::from_str(&text).unwrap()
}

fn compared(old: &Value, new: &Value) -> Vec<(Effect, String)> {
    let [old, new] = [old, new].map(|document| Document::of(document).unwrap());
    changes(&old, &new).into_iter().map(|change| (change.effect, change.to_string())).collect()
}

/// The changes after an edit of the checked-in document.
fn changes_of(edit: impl FnOnce(&mut Value)) -> Vec<(Effect, String)> {
    let old = document();
    let mut new = old.clone();
    edit(&mut new);
    assert!(old != new, "the edit changes nothing");
    compared(&old, &new)
}

/// The breaking changes after an edit of the checked-in document.
fn broken_by(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let breaking = changes_of(edit).into_iter().filter(|(effect, _)| *effect == Effect::Breaking);
    breaking.map(|(_, text)| text).collect()
}

#[track_caller]
fn at<'d>(document: &'d mut Value, pointer: &str) -> &'d mut Value {
    document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

fn schema<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    at(document, &format!("/components/schemas/{name}"))
}

fn remove(list: &mut Value, value: &str) {
    list.as_array_mut().unwrap().retain(|known| known != value);
}

/// A document with one path.
fn path(item: &Value) -> Value {
    json!({ "openapi": "3.0.3", "paths": { "/x": item } })
}

/// The change of a schema in a request and in a response, from `old` to `new`.
fn schema_change(old: &Value, new: &Value) -> [Vec<(Effect, String)>; 2] {
    let content = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let request = |schema: &Value| json!({ "requestBody": { "content": content(schema) }, "responses": {} });
    let response = |schema: &Value| json!({ "responses": { "200": { "content": content(schema) } } });
    let of = |operation: &dyn Fn(&Value) -> Value| {
        let [old, new] = [old, new].map(|schema| path(&json!({ "get": operation(schema) })));
        compared(&old, &new)
    };
    [of(&request), of(&response)]
}

/// Asserts the effects of a restriction, and those of its reverse.
#[track_caller]
fn assert_restriction(wide: &Value, narrow: &Value, text: &str) {
    let [request, response] = schema_change(wide, narrow);
    assert_eq!(request, [(Effect::Breaking, format!("`GET /x`: the request body {text}"))]);
    assert_eq!(response, [(Effect::Changed, format!("`GET /x`: the response 200 {text}"))]);
    let [request, response] = schema_change(narrow, wide);
    assert!(matches!(*request, [(Effect::Added, _)]), "{request:?}");
    assert!(matches!(*response, [(Effect::Breaking, _)]), "{response:?}");
}

/// Asserts that a change is breaking in both directions.
#[track_caller]
fn assert_replacement(old: &Value, new: &Value, text: &str) {
    let [request, response] = schema_change(old, new);
    assert_eq!(request, [(Effect::Breaking, format!("`GET /x`: the request body {text}"))]);
    assert_eq!(response, [(Effect::Breaking, format!("`GET /x`: the response 200 {text}"))]);
}

#[test]
fn document_does_not_differ_from_itself() {
    assert_eq!(compared(&document(), &document()), []);
}

#[test]
fn bounds_restrict_and_relax() {
    let integer = |bound: Value| json!({ "type": "integer", "maximum": bound });
    assert_restriction(&integer(json!(9)), &integer(json!(7)), "has the maximum 7 instead of 9");
    assert_restriction(&json!({}), &json!({ "minLength": 1 }), "has the minimum length 1");
    assert_restriction(
        &json!({ "minimum": 1 }),
        &json!({ "minimum": 1, "exclusiveMinimum": true }),
        "has the minimum 1 (exclusive) instead of 1",
    );
    assert_restriction(
        &json!({ "exclusiveMaximum": 9 }),
        &json!({ "exclusiveMaximum": 7 }),
        "has the maximum 7 (exclusive) instead of 9 (exclusive)",
    );
}

#[test]
fn divisors_restrict_relax_and_replace() {
    let of = |divisor: u32| json!({ "multipleOf": divisor });
    assert_restriction(&of(5), &of(10), "has the divisor 10 instead of 5");
    assert_restriction(&json!({}), &of(5), "has the divisor 5");
    assert_replacement(&of(5), &of(7), "has the divisor 7 instead of 5");
}

#[test]
fn patterns_restrict_relax_and_replace() {
    let of = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    assert_restriction(&of("^[0-9a-f]$"), &of("^[0-9]$"), "has a stricter pattern");
    assert_replacement(&of("^[0-9]$"), &of("^[a-f]$"), "has another pattern");
    assert_eq!(schema_change(&of("^[0-9]+$"), &of("^[0-9][0-9]*$")), [[], []]);
    assert_eq!(schema_change(&json!({ "type": "string" }), &of(r"^[\s\S]*$")), [[], []]);
}

#[test]
fn unique_items_nullability_and_exclusions_restrict_and_relax() {
    let array = |unique: bool| json!({ "type": "array", "uniqueItems": unique });
    assert_restriction(&array(false), &array(true), "has unique items");
    let nullable = |nullable: bool| json!({ "type": "string", "nullable": nullable });
    assert_restriction(&nullable(true), &nullable(false), "is never null");
    let not = |value: u32| json!({ "not": { "enum": [value] } });
    assert_restriction(&json!({}), &not(1), "excludes values");
    assert_replacement(&not(1), &not(2), "excludes other values");
}

#[test]
fn enum_values_restrict_and_relax() {
    let of = |values: Value| json!({ "type": "string", "enum": values });
    assert_restriction(&of(json!(["a", "b"])), &of(json!(["a"])), "no longer has the value `b`");
    assert_restriction(&json!({ "type": "string" }), &of(json!(["a"])), "has only listed values");
}

#[test]
fn alternatives_restrict_and_relax() {
    let titled = |title: &str| json!({ "title": title });
    assert_restriction(&json!({}), &json!({ "oneOf": [titled("A")] }), "is restricted to alternatives");
    assert_restriction(
        &json!({ "oneOf": [titled("A"), titled("B")] }),
        &json!({ "oneOf": [titled("A")] }),
        "has no alternative `B`",
    );
    let of = |kind: &str| json!({ "type": kind });
    let wider = json!({ "oneOf": [of("string"), of("integer")] });
    assert_restriction(&wider, &json!({ "oneOf": [of("string")] }), "has no alternative `{\"type\":\"integer\"}`");
}

#[test]
fn additional_properties_are_compared() {
    let map = |values: Value| json!({ "type": "object", "additionalProperties": values });
    assert_restriction(&map(json!(true)), &map(json!(false)), "has no unknown properties");
    let text = map(json!({ "type": "string" }));
    assert_restriction(&map(json!(true)), &text, "restricts unknown properties");
    let [request, response] = schema_change(&text, &map(json!({ "type": "integer" })));
    assert_eq!(request[0].1, "`GET /x`: `*` of the request body has the type integer instead of string");
    assert_eq!(response[0].0, Effect::Breaking);
}

#[test]
fn types_formats_and_request_defaults_are_replaced() {
    assert_replacement(
        &json!({ "type": "integer" }),
        &json!({ "type": "string" }),
        "has the type string instead of integer",
    );
    assert_replacement(&json!({ "format": "int32" }), &json!({}), "has no format");
    let [request, response] = schema_change(&json!({ "default": 50 }), &json!({ "default": 20 }));
    assert_eq!(request, [(Effect::Breaking, "`GET /x`: the request body has the default 20 instead of 50".to_owned())]);
    assert_eq!(response[0].0, Effect::Changed);
}

#[test]
fn removed_response_property_is_one_breaking_change() {
    let broken = broken_by(|document| {
        let student = schema(document, "Student");
        student["properties"].as_object_mut().unwrap().remove("email");
        remove(&mut student["required"], "email");
    });
    assert_eq!(broken, ["`Student` in responses: `email` is removed"]);
}

#[test]
fn property_may_become_optional_in_requests_only() {
    let broken = broken_by(|document| remove(&mut schema(document, "Student")["required"], "email"));
    assert_eq!(broken, ["`Student` in responses: `email` may be absent"]);
    let broken = broken_by(|document| {
        schema(document, "StudentInput")["required"].as_array_mut().unwrap().push(json!("age"));
    });
    assert_eq!(broken, ["`StudentInput` in requests: `age` is required"]);
    let found = changes_of(|document| remove(&mut schema(document, "StudentInput")["required"], "email"));
    assert_eq!(found, [(Effect::Changed, "`StudentInput` in requests: `email` is optional".to_owned())]);
}

#[test]
fn new_property_is_added() {
    let found = changes_of(|document| schema(document, "Student")["properties"]["class"] = json!({"type": "string"}));
    assert_eq!(found, [(Effect::Added, "`Student` in responses: `class` is added".to_owned())]);
}

#[test]
fn new_value_of_closed_enum_breaks_responses() {
    let broken = broken_by(|document| {
        schema(document, "Role")["enum"].as_array_mut().unwrap().push(json!("auditor"));
    });
    assert_eq!(broken, ["`Role` in responses: has the new value `auditor`"]);
}

#[test]
fn renamed_schema_breaks_generated_clients() {
    let broken = broken_by(|document| {
        let text = document.to_string().replace("schemas/StudentInput\"", "schemas/NewStudent\"");
        *document = serde_json::from_str(&text.replace("\"StudentInput\":", "\"NewStudent\":")).unwrap();
    });
    assert_eq!(broken, ["`StudentInput`: the schema becomes `NewStudent`"]);
}

#[test]
fn renamed_operation_or_tag_breaks_generated_clients() {
    let broken = broken_by(|document| {
        let operation = at(document, "/paths/~1me/get");
        operation["operationId"] = json!("getAccount");
        operation["tags"] = json!(["Accounts"]);
    });
    assert_eq!(
        broken,
        [
            "`GET /me`: the operation id `getMe` becomes `getAccount`",
            "`GET /me`: the tag `Sessions` becomes `Accounts`"
        ]
    );
}

#[test]
fn removed_or_reordered_server_is_breaking() {
    let servers = |urls: &[&str]| {
        let servers: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
        json!({ "openapi": "3.0.3", "servers": servers, "paths": {} })
    };
    let found = compared(&servers(&["/"]), &servers(&["/v1"]));
    assert_eq!(
        found,
        [(Effect::Breaking, "servers: `/` removed".to_owned()), (Effect::Added, "servers: `/v1` added".to_owned())]
    );
    let found = compared(&servers(&["/"]), &servers(&["/v1", "/"]));
    assert_eq!(found[0], (Effect::Breaking, "servers: another server comes first".to_owned()));
}

#[test]
fn parameters_are_compared_with_those_of_their_path() {
    let document = |parameter: Value| path(&json!({ "parameters": [parameter], "get": { "responses": {} } }));
    let optional = json!({ "name": "a", "in": "query", "schema": { "type": "string" } });
    let with = |key: &str, value: Value| {
        let mut parameter = optional.clone();
        parameter[key] = value;
        document(parameter)
    };
    let broken_by = |new: Value| compared(&document(optional.clone()), &new)[0].clone();
    let breaking = |text: &str| (Effect::Breaking, format!("`GET /x`: the query parameter `a` {text}"));
    assert_eq!(broken_by(with("required", json!(true))), breaking("is required"));
    assert_eq!(broken_by(with("style", json!("deepObject"))), breaking("is serialised in another style"));
    assert_eq!(broken_by(with("explode", json!(false))), breaking("is serialised in another style"));
    let media = json!({ "application/json": { "schema": { "type": "string" } } });
    assert_eq!(broken_by(with("content", media)), breaking("has another media type"));
    assert_eq!(broken_by(with("name", json!("b"))), breaking("removed"));
    let none = path(&json!({ "get": { "responses": {} } }));
    let added = compared(&none, &document(optional.clone()));
    assert_eq!(added, [(Effect::Added, "`GET /x`: the query parameter `a` added".to_owned())]);
    assert_eq!(compared(&none, &with("required", json!(true)))[0], breaking("added, and required"));
}

#[test]
fn security_and_role_may_not_become_stricter() {
    let broken = broken_by(|document| at(document, "/paths/~1me/get")["security"] = json!([]));
    assert_eq!(broken, ["`GET /me`: no longer accepts a token"]);
    let broken = broken_by(|document| at(document, "/paths/~1login/post")["security"] = json!([{"bearer": []}]));
    assert_eq!(broken, ["`POST /login`: requires a token"]);
    let broken = broken_by(|document| {
        *at(document, "/components/securitySchemes/bearer") =
            json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    });
    assert!(broken.contains(&"`GET /me`: the security scheme `bearer` differs".to_owned()), "{broken:#?}");
    assert!(!broken.iter().any(|line| line.starts_with("`POST /login`")), "{broken:#?}");
    let role =
        |path: &'static str, role: Value| move |document: &mut Value| at(document, path)["x-required-role"] = role;
    assert_eq!(
        broken_by(role("/paths/~1students/post", json!("admin"))),
        ["`POST /students`: requires the role admin instead of the role registrar"]
    );
    for lower in [json!("viewer"), Value::Null] {
        assert_eq!(broken_by(role("/paths/~1students/post", lower.clone())), [""; 0], "{lower}");
    }
    assert_eq!(broken_by(role("/paths/~1logout/post", json!("registrar"))).len(), 1);
}

#[test]
fn renamed_problem_type_is_breaking_and_new_one_is_added() {
    let response = |types: Value| path(&json!({ "get": { "responses": { "409": { "x-problem-types": types } } } }));
    let found = |new: Value| compared(&response(json!(["/problems/a"])), &response(new));
    let change = |effect, text: &str| [(effect, format!("`GET /x`: {text}"))];
    let renamed = change(Effect::Breaking, "the problem type `/problems/a` of the response 409 becomes `/problems/b`");
    assert_eq!(found(json!(["/problems/b"])), renamed);
    let added = change(Effect::Added, "the response 409 has the problem type `/problems/b`");
    assert_eq!(found(json!(["/problems/a", "/problems/b"])), added);
    let removed = change(Effect::Changed, "the response 409 no longer has the problem type `/problems/a`");
    assert_eq!(found(json!([])), removed);
}

#[test]
fn removed_operation_response_header_or_media_type_is_breaking() {
    let broken = broken_by(|document| drop(document["paths"].as_object_mut().unwrap().remove("/me")));
    assert_eq!(broken, ["`GET /me`: removed"]);
    let broken = broken_by(|document| {
        let responses = at(document, "/paths/~1students~1{id}/get/responses");
        responses.as_object_mut().unwrap().remove("304");
        responses["200"]["headers"].as_object_mut().unwrap().remove("ETag");
        let content = responses["200"]["content"].as_object_mut().unwrap();
        let json = content.remove("application/json").unwrap();
        content.insert("application/vnd.student+json".to_owned(), json);
    });
    assert_eq!(
        broken,
        [
            "`GET /students/{id}`: the header `ETag` of the response 200 is removed",
            "`GET /students/{id}`: the response 200 is no longer application/json",
            "`GET /students/{id}`: the response 304 is removed"
        ]
    );
}

#[test]
fn new_success_and_removed_link_are_breaking() {
    let document = |responses: Value| path(&json!({ "get": { "responses": responses } }));
    let link = |target: &str| json!({ "links": { "next": { "operationId": target } } });
    let linked = document(json!({ "200": link("a") }));
    let moved = compared(&linked, &document(json!({ "200": link("b") })));
    assert_eq!(moved[0].1, "`GET /x`: the link `next` of the response 200 has another target");
    let found = compared(&linked, &document(json!({ "200": {}, "202": {}, "404": {} })));
    let change = |effect, text: &str| (effect, format!("`GET /x`: {text}"));
    assert_eq!(
        found,
        [
            change(Effect::Breaking, "a response 202 is possible"),
            change(Effect::Breaking, "the link `next` of the response 200 is removed"),
            change(Effect::Added, "a response 404 is possible"),
        ]
    );
}

#[test]
fn all_of_is_compared_as_one_schema() {
    let plain = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let wrapped = json!({"allOf": [plain.clone()], "description": "the same"});
    assert_eq!(schema_change(&plain, &wrapped), [[], []]);
}

#[test]
fn recursive_schema_is_compared_once() {
    let document = |kind: &str| {
        let node = json!({"type": "object", "properties": {
            "next": {"$ref": "#/components/schemas/Node"}, "value": {"type": kind}
        }});
        let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}});
        json!({
            "openapi": "3.0.3",
            "paths": {"/x": {"get": {"responses": {"200": {"content": content}}}}},
            "components": {"schemas": {"Node": node}},
        })
    };
    let found = compared(&document("string"), &document("integer"));
    let text = "`Node` in responses: `value` has the type integer instead of string".to_owned();
    assert_eq!(found, [(Effect::Breaking, text)]);
}
