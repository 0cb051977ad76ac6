//! What the API document says of each answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::cargo;

/// The document, as far as answers go.
pub struct Document {
    pub operations: Vec<Operation>,
    /// What the schemas refer to.
    pub components: Value,
}

/// A method on a path.
pub struct Operation {
    pub id: String,
    method: String,
    template: String,
    pub answers: BTreeMap<u16, Answer>,
}

/// What stands under a status.
#[derive(Default)]
pub struct Answer {
    /// The schema of each media type.
    pub content: BTreeMap<String, Value>,
    /// The problem types that it can have; any if none are listed.
    pub problems: BTreeSet<String>,
    /// By the name in lower case.
    pub headers: BTreeMap<String, Header>,
}

/// A header of an answer.
pub struct Header {
    /// As the document writes it.
    pub name: String,
    pub required: bool,
    pub schema: Value,
}

impl Document {
    /// The document as OpenAPI 3.1, whose schemas are JSON Schema: the code's own, or the one in a file.
    pub async fn read(file: Option<&Path>) -> Result<Self> {
        let text = match file {
            Some(file) => fs::read_to_string(file).or_fail(file.display())?,
            None => {
                read("rollbook openapi", cargo(["run", "-q", "-p", "app", "--", "openapi", "--format", "yaml-3.1"]))
                    .await?
            }
        };
        let document: Value = yaml_serde::from_str(&text).or_fail("the document")?;
        match document["openapi"].as_str() {
            Some(version) if version.starts_with("3.1.") => Ok(Self::of(document)),
            _ => Err(Failure::new("the document is no OpenAPI 3.1: `rollbook openapi --format yaml-3.1` writes one")),
        }
    }

    /// What a document says; of OpenAPI 3.0, its schemas are not to be judged by.
    pub fn of(mut document: Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(template, item)| {
            let operations =
                item.as_object().into_iter().flatten().filter(|(_, value)| value.get("responses").is_some());
            operations.map(|(method, operation)| Operation {
                id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                method: method.to_ascii_uppercase(),
                template: template.clone(),
                answers: answers(&document, operation),
            })
        });
        let operations = operations.collect();
        Self { operations, components: document["components"].take() }
    }

    /// The operation that a request is, by its place in the list; `None` where it is none. HEAD is what GET is.
    pub fn operation(&self, method: &str, path: &str) -> Option<usize> {
        let method = if method == "HEAD" { "GET" } else { method };
        let same = |operation: &Operation| operation.method == method && operation.template == path;
        let fits = |operation: &Operation| operation.method == method && fits(&operation.template, path);
        self.operations.iter().position(same).or_else(|| self.operations.iter().position(fits))
    }
}

fn answers(document: &Value, operation: &Value) -> BTreeMap<u16, Answer> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let answers = responses.filter_map(|(status, response)| {
        let response = resolved(document, response);
        let content = response["content"].as_object().into_iter().flatten();
        let problems = response["x-problem-types"].as_array().into_iter().flatten();
        let headers = response["headers"].as_object().into_iter().flatten();
        let answer = Answer {
            problems: problems.filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
            content: content.map(|(name, media)| (name.to_ascii_lowercase(), media["schema"].clone())).collect(),
            headers: headers
                .map(|(name, header)| (name.to_ascii_lowercase(), Header::of(name, resolved(document, header))))
                .collect(),
        };
        Some((status.parse().ok()?, answer))
    });
    answers.collect()
}

impl Header {
    fn of(name: &str, header: &Value) -> Self {
        Self { name: name.to_owned(), required: header["required"] == true, schema: header["schema"].clone() }
    }
}

/// What a `$ref` leads to, or the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn fits(template: &str, path: &str) -> bool {
    let (parts, segments) = (template.split('/'), path.split('/'));
    // What is no text when it is decoded is no value of a parameter.
    let is_value = |segment: &str| !segment.is_empty() && percent_decode_str(segment).decode_utf8().is_ok();
    parts.clone().count() == segments.clone().count()
        && parts.zip(segments).all(|(part, segment)| part == segment || (part.starts_with('{') && is_value(segment)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_the_operation_whose_path_it_fits() {
        let operation = |id: &str| json!({ "operationId": id, "responses": {} });
        let document = Document::of(json!({ "paths": {
            "/users/{id}": { "get": operation("getUser") },
            "/users/me": { "get": operation("getMe") },
        } }));
        let id = |method, path| document.operation(method, path).map(|at| document.operations[at].id.as_str());
        assert_eq!(id("GET", "/users/7"), Some("getUser"));
        assert_eq!(id("HEAD", "/users/me"), Some("getMe"));
        for (method, path) in
            [("PUT", "/users/7"), ("GET", "/users/"), ("GET", "/users/7/8"), ("GET", "/users"), ("GET", "/users/%ff")]
        {
            assert_eq!(id(method, path), None, "{method} {path}");
        }
    }
}
