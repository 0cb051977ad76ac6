//! The pass over poem-openapi's document that adds what the library cannot express.

mod access;
mod conditions;
mod directions;
mod examples;
mod headers;
mod links;
mod parameters;
mod problems;
mod shared_responses;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::http::problem::ProblemType;
use crate::http::wire::unpack;

/// A mistake in the declaration of operations or of their wire format.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    #[error("operation {0} has no permission: its first argument must be `By<…>` or `Public`")]
    NoPermission(String),
    #[error("components {0:?} have text bounds and are used in responses, where text bounds can break clients")]
    BoundsInBothDirections(Vec<String>),
}

/// Completes poem-openapi's document.
///
/// # Errors
/// [`DocumentError`]
pub fn complete(mut document: Value) -> Result<Value, DocumentError> {
    document["openapi"] = json!("3.0.3");
    unpack(&mut document);
    describe_servers(&mut document["servers"]);
    order_tags(&mut document);
    let schemas = document["components"]["schemas"].clone();
    for item in objects(&mut document["paths"]) {
        for operation in objects(item) {
            complete_operation(operation, &schemas)?;
        }
    }
    links::add(&mut document);
    document["components"]["responses"] = shared_responses::extract(&mut document["paths"]);
    document["components"]["parameters"] = conditions::shared();
    document["components"]["headers"] = headers::shared();
    document["components"]["examples"] = problems::shared_examples();
    document["x-problem-types"] = ProblemType::OUTSIDE_OPERATIONS.iter().map(|kind| kind.uri()).collect();
    directions::check(&document)?;
    Ok(document)
}

/// Adds the extension for which `poem_openapi::ServerObject` has no field.
fn describe_servers(servers: &mut Value) {
    for server in servers.as_array_mut().into_iter().flatten() {
        server["x-internal"] = json!(false);
    }
}

/// Sorts the tags by the order of their operations.
fn order_tags(document: &mut Value) {
    let mut used: Vec<Value> = Vec::new();
    for item in objects(&mut document["paths"]) {
        for operation in objects(item) {
            used.extend(operation["tags"].as_array().cloned().into_iter().flatten());
        }
    }
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(|tag| used.iter().position(|name| tag["name"] == *name));
    }
}

fn complete_operation(operation: &mut Value, schemas: &Value) -> Result<(), DocumentError> {
    let access = access::complete(operation)?;
    parameters::unfold(operation);
    conditions::add(operation);
    describe_responses(operation, schemas);
    problems::complete(operation, access, schemas);
    headers::complete(operation, access);
    examples::add(operation, schemas);
    Ok(())
}

/// Uses the description of the content for responses that have none.
fn describe_responses(operation: &mut Value, schemas: &Value) {
    for response in objects(&mut operation["responses"]).filter(|response| response["description"] == "") {
        let reference = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
        response["description"] = schemas[name]["description"].clone();
    }
}

/// The objects among the values of an object.
fn objects(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|value| value.is_object())
}
