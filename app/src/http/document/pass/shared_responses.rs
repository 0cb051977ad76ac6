//! Responses that many operations answer alike, written once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::objects;
use crate::http::problem::PROBLEM_JSON;

/// Moves each problem response that stands more than once to where all can refer to it; answers those.
pub fn gathered(paths: &mut Value) -> Value {
    let mut places: BTreeMap<String, u32> = BTreeMap::new();
    each(paths, |response| *places.entry(response.to_string()).or_default() += 1);
    let mut shared = Map::new();
    each(paths, |response| {
        if places.get(&response.to_string()).is_some_and(|places| *places > 1) {
            let name = name(response);
            let known = shared.entry(&name).or_insert_with(|| response.clone());
            // Two that differ in something else keep their own place.
            if known == response {
                *response = json!({ "$ref": format!("#/components/responses/{name}") });
            }
        }
    });
    shared.sort_keys();
    Value::Object(shared)
}

fn each(paths: &mut Value, mut visit: impl FnMut(&mut Value)) {
    for item in objects(paths) {
        for operation in objects(item) {
            objects(&mut operation["responses"]).filter(|response| is_problem(response)).for_each(&mut visit);
        }
    }
}

fn is_problem(response: &Value) -> bool {
    !response["content"][PROBLEM_JSON].is_null()
}

/// What the problems are called, one after the other; a deprecated operation says more in its headers.
fn name(response: &Value) -> String {
    let deprecated = if response["headers"]["Deprecation"].is_null() { "" } else { "Deprecated" };
    let problems = response["content"][PROBLEM_JSON]["examples"].as_object().into_iter().flatten();
    let names: Vec<_> = problems.map(|(slug, _)| camel_case(slug)).collect();
    format!("{deprecated}{}", names.join("Or"))
}

fn camel_case(slug: &str) -> String {
    let words = slug
        .split('-')
        .map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default());
    words.collect()
}
