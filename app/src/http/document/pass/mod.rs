//! The one pass over poem-openapi's document: what is true of the service and the library cannot express.

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

use crate::http::wire::unpack;

/// A mistake in the declaration of operations or of their wire format.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    #[error("the operation {0} states no permission: its first argument has to be `By<…>` or `Public`")]
    NoPermission(String),
    #[error("the components {0:?} bound text and are used in requests and in responses, where bounds break clients")]
    BoundsInBothDirections(Vec<String>),
}

/// The complete document.
///
/// # Errors
/// [`DocumentError`]
pub fn completed(mut document: Value) -> Result<Value, DocumentError> {
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
    document["components"]["responses"] = shared_responses::gathered(&mut document["paths"]);
    document["components"]["parameters"] = conditions::shared();
    document["components"]["headers"] = headers::shared();
    document["components"]["examples"] = problems::shared_examples();
    directions::check(&document)?;
    Ok(document)
}

/// What `poem_openapi::ServerObject` has no field for.
fn describe_servers(servers: &mut Value) {
    for server in servers.as_array_mut().into_iter().flatten() {
        server["x-internal"] = json!(false);
    }
}

/// Lists the groups of operations in the order in which the operations come.
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

/// Describes responses by their content where nothing else describes them.
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
