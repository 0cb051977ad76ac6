//! The one pass over poem-openapi's document: what is true of the service and the library cannot say.

mod clearable;
mod conditions;
mod examples;
mod grammars;
mod headers;
mod links;
mod order;
mod problems;
mod schemas;
mod shared_responses;

use serde_json::{Map, Value, json};

use crate::http::access::Access;

pub use examples::EXAMPLES;

/// The document with everything that is true.
pub fn completed(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    describe_servers(&mut document["servers"]);
    order::sort(&mut document);
    schemas::complete(&mut document["components"]["schemas"]);
    let schemas = document["components"]["schemas"].clone();
    for item in objects(&mut document["paths"]) {
        for operation in objects(item) {
            complete_operation(operation, &schemas);
        }
    }
    document["components"]["responses"] = shared_responses::gathered(&mut document["paths"]);
    document["components"]["parameters"] = conditions::shared();
    document["components"]["headers"] = headers::shared();
    document["components"]["examples"] = problems::shared_examples();
    grammars::write(&mut document);
    clearable::name(&mut document["components"]["schemas"]);
    document
}

/// What `poem_openapi::ServerObject` has no field for.
fn describe_servers(servers: &mut Value) {
    for server in servers.as_array_mut().into_iter().flatten() {
        server["x-internal"] = json!(false);
    }
}

fn complete_operation(operation: &mut Value, schemas: &Value) {
    let Some(id) = operation["operationId"].as_str().map(str::to_owned) else { return };
    let access = Access::of(&id);
    if access == Some(Access::Anybody) {
        // Said out loud, for readers who would otherwise take it for forgotten.
        operation["security"] = json!([]);
    }
    if let (Some(access), Some(description)) = (access, operation["description"].as_str()) {
        operation["description"] = json!(format!("{description}\n\n{}", access.sentence()));
    }
    if let Some(Access::Role(role)) = access {
        // The sentence, for programs. Where it is missing and security is not empty, any token will do.
        operation["x-required-role"] = json!(role.as_str());
    }
    conditions::add(operation);
    problems::complete(operation, access, schemas);
    headers::complete(operation, access);
    links::add(operation, &id);
    examples::add(operation, &id, schemas);
}

/// The objects among the values of an object.
fn objects(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|value| value.is_object())
}
