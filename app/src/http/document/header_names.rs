//! Names of the headers in the document.

use std::collections::BTreeSet;

use serde_json::Value;

/// Names of all response headers.
pub fn response_headers() -> BTreeSet<&'static str> {
    let document = super::tree();
    let operations = values(&document["paths"]).flat_map(values).flat_map(|operation| values(&operation["responses"]));
    let responses = operations.chain(values(&document["components"]["responses"]));
    let headers = responses.flat_map(|response| response["headers"].as_object().into_iter().flatten());
    headers.map(|(name, _)| name.as_str()).collect()
}

/// Names of all request headers that are parameters of operations.
pub fn request_headers() -> BTreeSet<&'static str> {
    let parameters = values(&super::tree()["components"]["parameters"]);
    parameters
        .filter(|parameter| parameter["in"] == "header")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect()
}

fn values(object: &Value) -> impl Iterator<Item = &Value> {
    object.as_object().into_iter().flat_map(|object| object.values())
}
