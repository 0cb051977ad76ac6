//! Problem responses that several operations share, as components.

use std::collections::BTreeMap;

use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use super::objects;
use crate::http::problem::PROBLEM_JSON;

/// Replaces each problem response that occurs more than once by a reference, and returns the components.
pub fn extract(paths: &mut Value) -> Value {
    let mut uses: BTreeMap<String, u32> = BTreeMap::new();
    visit_problems(paths, |_, response| *uses.entry(response.to_string()).or_default() += 1);
    let usual = usual_problems(paths, &uses);
    let mut shared = Map::new();
    visit_problems(paths, |status, response| {
        if uses.get(&response.to_string()).is_some_and(|uses| *uses > 1) {
            let name = name(status, response, usual.get(status));
            let known = shared.entry(&name).or_insert_with(|| response.clone());
            // Another response has the same name: this one stays in place.
            if known == response {
                *response = json!({ "$ref": format!("#/components/responses/{name}") });
            }
        }
    });
    shared.sort_keys();
    Value::Object(shared)
}

fn visit_problems(paths: &mut Value, mut visit: impl FnMut(&str, &mut Value)) {
    for item in objects(paths) {
        for operation in objects(item) {
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                if !response["content"][PROBLEM_JSON].is_null() {
                    visit(status, response);
                }
            }
        }
    }
}

/// The problems of the most frequent response of each status.
fn usual_problems(paths: &mut Value, uses: &BTreeMap<String, u32>) -> BTreeMap<String, Vec<String>> {
    let mut usual: BTreeMap<String, (u32, Vec<String>)> = BTreeMap::new();
    visit_problems(paths, |status, response| {
        let uses = uses.get(&response.to_string()).copied().unwrap_or_default();
        let best = usual.entry(status.to_owned()).or_default();
        if uses > best.0 {
            *best = (uses, problems(response));
        }
    });
    usual.into_iter().map(|(status, (_, problems))| (status, problems)).collect()
}

fn problems(response: &Value) -> Vec<String> {
    let examples = response["content"][PROBLEM_JSON]["examples"].as_object();
    examples.into_iter().flat_map(Map::keys).cloned().collect()
}

/// A name: the only problem, otherwise one that is unusual for the status, otherwise the status in words. Deprecated operations
/// have a prefix, because their responses have more headers.
fn name(status: &str, response: &Value, usual: Option<&Vec<String>>) -> String {
    let deprecated = if response["headers"]["Deprecation"].is_null() { "" } else { "Deprecated" };
    let problems = problems(response);
    let unusual = problems.iter().find(|slug| !usual.is_some_and(|usual| usual.contains(slug)));
    let name = match (problems.as_slice(), unusual) {
        ([slug], _) | (_, Some(slug)) => camel_case(slug),
        (_, None) => {
            let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
            reason.unwrap_or(status).replace(' ', "")
        }
    };
    format!("{deprecated}{name}")
}

fn camel_case(slug: &str) -> String {
    let words = slug
        .split('-')
        .map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default());
    words.collect()
}
