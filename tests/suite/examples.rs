//! The examples of the document: whoever tries them on a fresh demo, from the first operation to the last, gets what
//! they promise.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::client::{Answer, Client};
use tests::database::PostgresDatabase;
use tests::program::{self, Program};

/// Operations whose example cannot succeed by itself: it would have to hold a refresh token that nobody has yet.
const LACKS_A_SECRET: [&str; 1] = ["refreshToken"];
/// Operations whose example ends the session that it is tried in: behind them, one logs in anew.
const ENDS_THE_SESSION: [&str; 2] = ["deleteOwnSession", "logOut"];

/// An administrator, whose password changes on the way.
struct Explorer<'s> {
    server: &'s Program,
    client: Client,
    password: &'static str,
}

impl<'s> Explorer<'s> {
    fn new(server: &'s Program) -> Self {
        Self { server, client: server.client(None), password: "password" }
    }

    async fn log_in(&mut self) {
        self.client = self.server.log_in("admin", self.password).await;
    }

    /// Tries every example of an operation's request; an operation without one is tried as it is.
    async fn try_out(&mut self, method: &str, path: &str, operation: &Value) -> usize {
        let bodies = operation.pointer("/requestBody/content/application~1json/examples").and_then(Value::as_object);
        let bodies: Vec<_> =
            bodies.into_iter().flat_map(|examples| examples.values().map(|it| Some(&it["value"]))).collect();
        let takes_body = operation.get("requestBody").is_some();
        assert_eq!(bodies.is_empty(), !takes_body, "{method} {path} takes a body and has no example of one");
        let bodies = if takes_body { bodies } else { vec![None] };
        for body in &bodies {
            let request = self.client.request(&method.to_uppercase(), &address(path, operation));
            let request = if let Some(body) = body { request.json(body) } else { request };
            let answer = Answer::to(request).await;
            let documented = operation["responses"].get(answer.status.as_str()).is_some();
            assert!(answer.status.is_success() && documented, "{method} {path} {body:?}: {answer:?}");
            if operation["operationId"] == "logIn" && self.client.token().is_none() {
                self.client = self.server.client(answer.json()["token"].as_str().map(str::to_owned));
            }
        }
        bodies.len()
    }
}

/// The path with the examples of its parameters; those that have none are left out.
fn address(path: &str, operation: &Value) -> String {
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

async fn work_in_order(server: &Program) {
    let mut explorer = Explorer::new(server);
    let mut tried = 0;
    for (path, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if LACKS_A_SECRET.contains(&id) {
                continue;
            }
            tried += explorer.try_out(method, path, operation).await;
            if id == "replaceOwnPassword" {
                explorer.password = "slow river under seven bridges";
            }
            if ENDS_THE_SESSION.contains(&id) {
                explorer.client.get("/me").await.expect_problem(401, "unauthorized");
                explorer.log_in().await;
            }
        }
    }
    assert!(tried >= 36, "{tried}");
}

#[tokio::test]
async fn examples_of_requests_work_on_a_fresh_demo_in_the_documents_order_on_sqlite() {
    work_in_order(&Program::demo().await).await;
}

#[tokio::test]
async fn examples_of_requests_work_on_a_fresh_demo_in_the_documents_order_on_postgres() {
    let (database, home) = (PostgresDatabase::create(), TempDir::new().unwrap());
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--database", &database.url()];
    work_in_order(&Program::start(program::command(home.path(), &serve)).await).await;
}

#[test]
fn every_answer_has_an_example_and_every_problem_type_one_of_its_own() {
    let document = app::http::document::tree();
    let mut types = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = resolved(document, response);
                for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                    let examples = content["examples"].as_object().cloned().unwrap_or_default();
                    // The document is no example of itself.
                    let itself = path.starts_with("/openapi");
                    assert!(!examples.is_empty() || itself, "{method} {path} {status} {media_type} has no example");
                    for example in examples.values() {
                        let example = &resolved(document, example)["value"];
                        types.extend(example["type"].as_str().map(str::to_owned));
                        if let Some(told) = example.get("status").and_then(Value::as_u64) {
                            assert_eq!(told.to_string(), *status, "{method} {path}");
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
fn no_example_is_of_an_operation_that_does_not_exist() {
    let text = fs::read_to_string(program::workspace().join("app/src/http/document/examples.yaml")).unwrap();
    let examples: serde_json::Map<String, Value> = yaml_serde::from_str(&text).unwrap();
    let operations = app::http::document::tree().to_string();
    for (id, parts) in examples.into_iter().filter(|(id, _)| id != "parameters") {
        assert!(operations.contains(&format!("\"operationId\":\"{id}\"")), "{id}");
        let known =
            parts.as_object().unwrap().keys().all(|part| ["parameters", "request", "answers"].contains(&part.as_str()));
        assert!(known, "{id}: {}", json!(parts));
    }
}
