use serde_json::{Value, json};

use super::*;
use crate::workspace::root;

/// The document that is checked in.
fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
    yaml_serde::from_str(&text).unwrap()
}

/// What breaks when the document is edited so.
fn broken_by(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let old = document();
    let mut new = old.clone();
    edit(&mut new);
    assert!(old != new, "the edit hits nothing");
    let all = changes(&old, &new);
    all.iter().filter(|change| change.effect == Effect::Breaking).map(ToString::to_string).collect()
}

/// The changes of an edit that breaks no client.
fn changes_of(edit: impl FnOnce(&mut Value)) -> Vec<(Effect, String)> {
    let old = document();
    let mut new = old.clone();
    edit(&mut new);
    changes(&old, &new).into_iter().map(|change| (change.effect, change.to_string())).collect()
}

#[track_caller]
fn schema<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    document.pointer_mut(&format!("/components/schemas/{name}")).unwrap()
}

fn remove(list: &mut Value, value: &str) {
    list.as_array_mut().unwrap().retain(|known| known != value);
}

#[test]
fn a_document_is_no_change_of_itself() {
    assert_eq!(changes(&document(), &document()), []);
}

#[test]
fn a_field_that_is_removed_from_an_answer_breaks() {
    let broken = broken_by(|document| {
        let student = schema(document, "Student");
        student["properties"].as_object_mut().unwrap().remove("email");
        remove(&mut student["required"], "email");
    });
    assert!(broken.contains(&"GET /students/{id}: 200.email removed".to_owned()), "{broken:#?}");
    assert!(broken.contains(&"GET /students: 200.students[].email removed".to_owned()), "{broken:#?}");
    assert!(broken.iter().all(|line| line.ends_with("email removed")), "{broken:#?}");
}

#[test]
fn a_field_that_an_answer_may_lack_or_hold_null_in_breaks() {
    let broken = broken_by(|document| remove(&mut schema(document, "Student")["required"], "email"));
    assert!(broken.contains(&"GET /students/{id}: 200.email is not always there now".to_owned()), "{broken:#?}");
    let broken = broken_by(|document| schema(document, "Student")["properties"]["email"]["nullable"] = json!(true));
    assert!(broken.contains(&"GET /students/{id}: 200.email: may be null now".to_owned()), "{broken:#?}");
}

#[test]
fn new_query_parameter_is_breaking_only_if_required() {
    let add = |required: bool| {
        move |document: &mut Value| {
            let parameters = document.pointer_mut("/paths/~1students/get/parameters").unwrap();
            let schema = json!({"type": "string"});
            let class = json!({"name": "class", "in": "query", "required": required, "schema": schema});
            parameters.as_array_mut().unwrap().push(class);
        }
    };
    assert_eq!(broken_by(add(true)), ["GET /students: query parameter class added and required"]);
    assert_eq!(changes_of(add(false)), [(Effect::Added, "GET /students: query parameter class added".to_owned())]);
}

#[test]
fn request_enum_value_is_breaking_only_if_removed() {
    let old = document();
    let role = |document: &mut Value, values: Value| {
        let user = schema(document, "UserInput");
        let role = &mut user["properties"]["role"];
        let target = role["allOf"][0]["$ref"].as_str().or(role["$ref"].as_str()).map(str::to_owned);
        let target = target.map_or("/components/schemas/UserInput/properties/role".to_owned(), |reference| {
            reference.trim_start_matches('#').to_owned()
        });
        document.pointer_mut(&target).unwrap()["enum"] = values;
    };
    let mut fewer = old.clone();
    role(&mut fewer, json!(["viewer", "admin"]));
    let broken = changes(&old, &fewer);
    let broken: Vec<_> =
        broken.iter().filter(|change| change.effect == Effect::Breaking).map(ToString::to_string).collect();
    assert!(broken.contains(&"POST /users: body.role: enum value registrar removed".to_owned()), "{broken:#?}");
    let mut more = old.clone();
    role(&mut more, json!(["viewer", "registrar", "admin", "auditor"]));
    assert!(changes(&old, &more).iter().all(|change| change.effect == Effect::Added));
}

#[test]
fn a_changed_type_breaks_both_ways() {
    let broken = broken_by(|document| schema(document, "Student")["properties"]["roll_no"]["type"] = json!("string"));
    assert!(broken.contains(&"GET /students/{id}: 200.roll_no: type integer became string".to_owned()), "{broken:#?}");
    let broken = broken_by(|document| {
        let parameters = document.pointer_mut("/paths/~1students/get/parameters").unwrap();
        let limit = parameters.as_array_mut().unwrap().iter_mut().find(|parameter| parameter["name"] == "limit");
        limit.unwrap()["schema"]["type"] = json!("string");
    });
    assert_eq!(broken, ["GET /students: query parameter limit: type integer became string"]);
}

#[test]
fn a_lost_security_requirement_is_told_and_so_is_a_new_one() {
    let broken = broken_by(|document| document["paths"]["/me"]["get"]["security"] = json!([]));
    assert_eq!(broken, ["GET /me: security requirement lost"]);
    let broken = broken_by(|document| document["paths"]["/login"]["post"]["security"] = json!([{"bearer": []}]));
    assert_eq!(broken, ["POST /login: security requirement added"]);
}

#[test]
fn another_security_scheme_under_the_same_name_breaks() {
    let broken = broken_by(|document| {
        document["components"]["securitySchemes"]["bearer"] =
            json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    });
    assert!(broken.contains(&"GET /me: security scheme bearer changed".to_owned()), "{broken:#?}");
    assert!(!broken.iter().any(|line| line.starts_with("POST /login")), "{broken:#?}");
    let found =
        changes_of(|document| document["components"]["securitySchemes"]["bearer"]["description"] = json!("Other."));
    assert_eq!(found, []);
}

#[test]
fn a_role_that_rises_breaks_and_one_that_falls_does_not() {
    let role =
        |role: Value| move |document: &mut Value| document["paths"]["/students"]["post"]["x-required-role"] = role;
    assert_eq!(broken_by(role(json!("admin"))), ["POST /students: role registrar became admin"]);
    for lower in [json!("viewer"), Value::Null] {
        assert_eq!(broken_by(role(lower.clone())), [] as [&str; 0], "{lower}");
    }
    let broken = broken_by(|document| document["paths"]["/logout"]["post"]["x-required-role"] = json!("viewer"));
    assert_eq!(broken, ["POST /logout: role none became viewer"]);
}

#[test]
fn a_type_of_problem_that_comes_or_goes_is_told() {
    let found = changes_of(|document| {
        let conflict = document
            .pointer_mut("/paths/~1users~1{id}/delete/responses/409/$ref")
            .map(|target| target.as_str().unwrap().trim_start_matches('#').to_owned());
        let place = conflict.unwrap_or_else(|| "/paths/~1users~1{id}/delete/responses/409".to_owned());
        let types = &mut document.pointer_mut(&place).unwrap()["x-problem-types"];
        *types = json!(["/problems/first-administrator"]);
    });
    let of_removal: Vec<_> = found.iter().filter(|(_, what)| what.starts_with("DELETE /users/{id}:")).collect();
    assert_eq!(
        of_removal,
        [
            &(Effect::Added, "DELETE /users/{id}: 409 problem first-administrator added".to_owned()),
            &(Effect::Changed, "DELETE /users/{id}: 409 problem last-administrator removed".to_owned()),
        ]
    );
}

#[test]
fn a_lost_operation_status_header_or_media_type_breaks() {
    let broken = broken_by(|document| drop(document["paths"].as_object_mut().unwrap().remove("/me")));
    assert_eq!(broken, ["GET /me: removed"]);
    let broken = broken_by(|document| {
        let responses = document.pointer_mut("/paths/~1students~1{id}/get/responses").unwrap();
        responses.as_object_mut().unwrap().remove("304");
        responses["200"]["headers"].as_object_mut().unwrap().remove("ETag");
        let content = responses["200"]["content"].as_object_mut().unwrap();
        let json = content.remove("application/json").unwrap();
        content.insert("application/vnd.student+json".to_owned(), json);
    });
    assert_eq!(
        broken,
        [
            "GET /students/{id}: 200 as application/json removed",
            "GET /students/{id}: 200 header ETag removed",
            "GET /students/{id}: 304 lost"
        ]
    );
}

#[test]
fn what_is_asked_of_a_request_may_become_less_and_never_more() {
    let limit = |key: &'static str, bound: Value| {
        move |document: &mut Value| {
            let parameters = document.pointer_mut("/paths/~1students/get/parameters").unwrap();
            let limit = parameters.as_array_mut().unwrap().iter_mut().find(|parameter| parameter["name"] == "limit");
            limit.unwrap()["schema"][key] = bound;
        }
    };
    for (key, narrower, wider) in [("maximum", json!(100), json!(500)), ("minimum", json!(2), json!(0))] {
        assert_eq!(broken_by(limit(key, narrower)).len(), 1, "{key}");
        assert_eq!(broken_by(limit(key, wider)), [] as [&str; 0], "{key}");
        assert_eq!(broken_by(limit(key, Value::Null)), [] as [&str; 0], "{key}");
    }
    assert_eq!(broken_by(limit("pattern", json!("^1"))).len(), 1);
    assert_eq!(broken_by(limit("pattern", json!(r"^[\s\S]*$"))), [] as [&str; 0], "a pattern that takes everything");
    assert_eq!(broken_by(limit("enum", json!([1]))).len(), 1);
    let broken = broken_by(|document| {
        let student = schema(document, "StudentInput");
        student["required"].as_array_mut().unwrap().push(json!("age"));
    });
    assert_eq!(broken, ["POST /students: body.age is required now", "PUT /students/{id}: body.age is required now"]);
}

#[test]
fn what_an_answer_promises_may_become_more() {
    let found = changes_of(|document| {
        schema(document, "Student")["properties"]["class"] = json!({"type": "string"});
    });
    assert!(found.contains(&(Effect::Added, "GET /students/{id}: 200.class added".to_owned())), "{found:#?}");
    assert!(found.iter().all(|(effect, _)| *effect == Effect::Added), "{found:#?}");
}

#[test]
fn parts_of_an_all_of_are_one_schema() {
    let wrapped = |schema: Value| json!({"allOf": [schema], "description": "the same"});
    let plain = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let document = |schema: Value| {
        let content = json!({"application/json": {"schema": schema}});
        json!({"paths": {"/x": {"get": {"responses": {"200": {"content": content}}}}}})
    };
    assert_eq!(changes(&document(plain.clone()), &document(wrapped(plain))), []);
}

#[test]
fn a_schema_that_holds_itself_is_compared() {
    let document = |kind: &str| {
        let node = json!({"type": "object", "properties": {
            "next": {"$ref": "#/components/schemas/Node"}, "value": {"type": kind}
        }});
        let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}});
        json!({
            "paths": {"/x": {"get": {"responses": {"200": {"content": content}}}}},
            "components": {"schemas": {"Node": node}},
        })
    };
    let found = changes(&document("string"), &document("integer"));
    assert_eq!(
        found[0].to_string(),
        "GET /x: 200.next.next.next.next.next.next.next.next.next.next.value: type string became integer"
    );
    assert!(found.iter().any(|change| change.what == "200.value: type string became integer"));
}
