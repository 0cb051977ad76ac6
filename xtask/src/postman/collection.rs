//! The collection: a folder for each tag with its operations, each of which runs by itself.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::assertions::script;
use super::document::{Document, Operation};
use super::request::{bearer, request};
use super::step::{Bearer, Step};
use super::story::{Scene, VARIABLES, scene};
use crate::failure::{Failure, Result};

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// Stays the same, so that a collection imported anew takes the place of the one before.
const ID: &str = "6a1cf2f0-8f0e-4f57-9d0b-3c4d0e6f7a21";

/// The collection of a document, in Postman's format 2.1.
pub fn collection(document: &Document) -> Result<Value> {
    let folders: Result<Vec<_>> =
        document.tags().map(|(name, description)| folder(document, name, description)).collect();
    Ok(json!({
        "info": {
            "_postman_id": ID,
            "name": document.text("/info/title"),
            "description": document.text("/info/description"),
            "schema": SCHEMA,
        },
        "auth": bearer(Bearer::User.variable()),
        "variable": variables(document),
        "item": folders?,
    }))
}

fn folder(document: &Document, name: &str, description: &str) -> Result<Value> {
    let operations = document.operations();
    let mut scenes: Vec<_> =
        operations.iter().filter(|operation| operation.has_tag(name)).map(|operation| scene(operation.id())).collect();
    scenes.sort_by_key(|scene| scene.last);
    let items: Result<Vec<_>> = steps(document, scenes)
        .iter()
        .enumerate()
        .map(|(place, step)| {
            let operation = known(document, step.operation)?;
            // Two folders may make the same request on the way to their own.
            let id =
                step.title.map_or_else(|| step.operation.to_owned(), |_| format!("{name}-{place}-{}", step.operation));
            item(&operation, step, &id)
        })
        .collect();
    Ok(json!({ "id": name, "name": name, "description": description, "item": items? }))
}

/// The steps of the scenes, each user's login before the first step that needs its token.
fn steps<'a>(document: &Document, scenes: Vec<Scene<'a>>) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    let mut logged_in = HashSet::new();
    for step in scenes.into_iter().flat_map(|scene| scene.before.into_iter().chain([scene.own]).chain(scene.after)) {
        log_in(document, &step, &mut logged_in, &mut steps);
        if step.keeps.iter().any(|(variable, _)| *variable == Bearer::User.variable()) {
            logged_in.insert(Bearer::User);
        }
        steps.push(step);
    }
    steps
}

fn log_in<'a>(document: &Document, step: &Step<'a>, logged_in: &mut HashSet<Bearer>, steps: &mut Vec<Step<'a>>) {
    let secured = document.operation(step.operation).is_some_and(|operation| operation.is_secured());
    if secured && logged_in.insert(step.bearer) {
        for login in step.bearer.log_in() {
            log_in(document, &login, logged_in, steps);
            steps.push(login);
        }
    }
}

fn item(operation: &Operation<'_>, step: &Step<'_>, id: &str) -> Result<Value> {
    let status = step.status.or_else(|| operation.success());
    let steps = status.and_then(|status| Some((status, operation.answer(status)?)));
    let (status, answer) = steps.ok_or_else(|| {
        Failure::new(format_args!("{} has no answer {} in the document", step.operation, status.unwrap_or(200)))
    })?;
    let script = json!({ "type": "text/javascript", "exec": script(step, status, &answer) });
    Ok(json!({
        "id": id,
        "name": step.title.unwrap_or_else(|| operation.summary()),
        "event": [{ "listen": "test", "script": script }],
        "request": request(operation, step),
    }))
}

fn known<'a>(document: &'a Document, id: &str) -> Result<Operation<'a>> {
    document.operation(id).ok_or_else(|| Failure::new(format_args!("the document has no operation {id}")))
}

/// Those that are given, and those that answers set, empty at first.
fn variables(document: &Document) -> Vec<Value> {
    let mut variables: Vec<_> = VARIABLES.iter().map(|(name, value)| (*name, json!(value))).collect();
    let operations = document.operations();
    let scenes = operations.iter().map(|operation| scene(operation.id())).collect();
    for (variable, _) in steps(document, scenes).iter().flat_map(|step| step.keeps) {
        if !variables.iter().any(|(known, _)| known == variable) {
            variables.push((variable, json!("")));
        }
    }
    variables.iter().map(|(name, value)| json!({ "key": name, "value": value, "type": "string" })).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn items(folder: &Value) -> Vec<&Value> {
        folder["item"].as_array().unwrap().iter().collect()
    }

    #[test]
    fn collection_has_each_operation_once() {
        let document = Document::read().unwrap();
        let collection = collection(&document).unwrap();
        let own = |item: &Value| item["id"].as_str().unwrap().to_owned();
        let mut steps: Vec<_> = items(&collection).into_iter().flat_map(items).map(own).collect();
        steps.retain(|id| document.operation(id).is_some());
        steps.sort();
        let mut there: Vec<_> = document.operations().iter().map(|operation| operation.id().to_owned()).collect();
        there.sort();
        assert_eq!(steps, there);
    }

    #[test]
    fn no_two_items_share_an_id_and_each_has_assertions() {
        let collection = collection(&Document::read().unwrap()).unwrap();
        let mut seen = BTreeSet::new();
        for item in items(&collection).into_iter().flat_map(items) {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()), "{}", item["id"]);
            assert!(item["event"].to_string().contains("pm.test("), "{}", item["id"]);
        }
    }

    #[test]
    fn every_variable_that_is_used_is_one_of_the_collection() {
        let collection = collection(&Document::read().unwrap()).unwrap();
        let declared: BTreeSet<_> = collection["variable"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| variable["key"].as_str().unwrap())
            .collect();
        let text = collection["item"].to_string();
        let used: BTreeSet<_> = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).collect();
        let unknown: Vec<_> = used.iter().filter(|name| !name.starts_with('$') && !declared.contains(*name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let unused: Vec<_> = declared.iter().filter(|name| **name != "token" && !used.contains(*name)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn two_runs_make_the_same() {
        let document = Document::read().unwrap();
        assert_eq!(collection(&document).unwrap().to_string(), collection(&document).unwrap().to_string());
    }
}
