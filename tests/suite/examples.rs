//! The examples of the API document succeed on a fresh demo, in the order of the document.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::client::{Client, Response};
use tests::database::PostgresDatabase;
use tests::program::{self, Program};

/// Operations with an example that requires a valid refresh token and so cannot succeed.
const NEEDS_REFRESH_TOKEN: [&str; 1] = ["refreshToken"];
/// Operations with an example that requires a token of the server's feed.
const NEEDS_CHANGE_TOKEN: [&str; 1] = ["listStudentChanges"];
/// Operations with an example that ends the session. The runner then logs in again.
const ENDS_SESSION: [&str; 2] = ["deleteOwnSession", "logOut"];

/// Sends examples as an administrator, with a new password after the example that changes it.
struct ExampleRunner<'s> {
    server: &'s Program,
    client: Client,
    password: &'static str,
}

impl<'s> ExampleRunner<'s> {
    fn new(server: &'s Program) -> Self {
        Self { server, client: server.client(None), password: "password" }
    }

    async fn log_in(&mut self) {
        self.client = self.server.log_in("admin", self.password).await;
    }

    /// Sends each example of an operation's request body, or one request without a body. Returns the number of requests.
    async fn send_examples(&mut self, method: &str, path: &str, operation: &Value) -> usize {
        let bodies = operation.pointer("/requestBody/content/application~1json/examples").and_then(Value::as_object);
        let bodies: Vec<_> =
            bodies.into_iter().flat_map(|examples| examples.values().map(|it| Some(&it["value"]))).collect();
        let has_body = operation.get("requestBody").is_some();
        assert_eq!(bodies.is_empty(), !has_body, "{method} {path} has a body without an example");
        let bodies = if has_body { bodies } else { vec![None] };
        for body in &bodies {
            let request = self.client.request(&method.to_uppercase(), &path_with_examples(path, operation));
            let request = if let Some(body) = body { request.json(body) } else { request };
            let response = Response::fetch(request).await;
            let documented = operation["responses"].get(response.status.as_str()).is_some();
            assert!(response.status.is_success() && documented, "{method} {path} {body:?}: {response:?}");
            if operation["operationId"] == "logIn" && self.client.token().is_none() {
                self.client = self.server.client(response.json()["token"].as_str().map(str::to_owned));
            }
        }
        bodies.len()
    }
}

/// The path with the examples of its parameters. Query parameters without an example are left out.
fn path_with_examples(path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters.map(|parameter| resolved(app::http::document::tree(), parameter)) {
        let (name, example) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
        match (parameter["in"].as_str().unwrap(), example) {
            ("path", Value::Null) => panic!("{path}: {name} has no example"),
            (_, Value::Null) => {}
            ("path", example) => path = path.replace(&format!("{{{name}}}"), &example.to_string()),
            ("query", example) => query.push(format!("{name}={example}")),
            (place, _) => panic!("{path}: an example in a {place}"),
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

async fn send_examples_in_order(server: &Program) {
    let mut runner = ExampleRunner::new(server);
    let mut sent = 0;
    for (path, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if NEEDS_REFRESH_TOKEN.contains(&id) || NEEDS_CHANGE_TOKEN.contains(&id) {
                continue;
            }
            sent += runner.send_examples(method, path, operation).await;
            if id == "replaceOwnPassword" {
                runner.password = "slow river under seven bridges";
            }
            if ENDS_SESSION.contains(&id) {
                runner.client.get("/me").await.expect_problem(401, "unauthorized");
                runner.log_in().await;
            }
        }
    }
    assert!(sent >= 36, "{sent}");
}

#[tokio::test]
async fn request_examples_succeed_in_order_on_sqlite_demo() {
    send_examples_in_order(&Program::demo().await).await;
}

#[tokio::test]
async fn request_examples_succeed_in_order_on_postgres_demo() {
    let (database, home) = (PostgresDatabase::create(), TempDir::new().unwrap());
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--database", &database.url()];
    send_examples_in_order(&Program::start(program::command(home.path(), &serve)).await).await;
}

#[test]
fn responses_and_problem_types_have_examples() {
    let document = app::http::document::tree();
    let mut types = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = resolved(document, response);
                for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                    let examples = content["examples"].as_object().cloned().unwrap_or_default();
                    // A response with the document itself has no example.
                    let exempt = path.starts_with("/openapi");
                    assert!(!examples.is_empty() || exempt, "{method} {path} {status} {media_type} has no example");
                    for example in examples.values() {
                        let example = &resolved(document, example)["value"];
                        types.extend(example["type"].as_str().map(str::to_owned));
                        if let Some(stated) = example.get("status").and_then(Value::as_u64) {
                            assert_eq!(stated.to_string(), *status, "{method} {path}");
                        }
                    }
                }
            }
        }
    }
    assert!(types.len() > 25, "{types:?}");
}

fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

#[test]
fn examples_belong_to_existing_operations() {
    let text = fs::read_to_string(program::workspace().join("app/src/http/document/examples.yaml")).unwrap();
    let examples: serde_json::Map<String, Value> = yaml_serde::from_str(&text).unwrap();
    let operations = app::http::document::tree().to_string();
    for (id, parts) in examples.into_iter().filter(|(id, _)| id != "parameters") {
        assert!(operations.contains(&format!("\"operationId\":\"{id}\"")), "{id}");
        let known = parts
            .as_object()
            .unwrap()
            .keys()
            .all(|part| ["parameters", "request", "responses"].contains(&part.as_str()));
        assert!(known, "{id}: {}", json!(parts));
    }
}
