//! OpenAPI links from the values of a response to the operations that accept them.

use serde_json::{Map, Value, json};

/// A link that cannot be derived: operation, status, target operation, parameter from the response (if any), description.
/// A link that fills the body only describes it: openapi-generator rejects `requestBody` in links.
type ExplicitLink = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const EXPLICIT: [ExplicitLink; 9] = [
    ("logIn", "200", "getMe", None, TOKEN),
    ("logIn", "200", "refreshToken", None, REFRESH),
    ("refreshToken", "200", "getMe", None, TOKEN),
    ("refreshToken", "200", "refreshToken", None, REFRESH),
    ("createLegacyStudent", "201", "getStudent", Some(("id", "$response.body#/id")), ID),
    ("createLegacyStudent", "201", "updateLegacyStudent", Some(("student_id", "$response.body#/id")), ID),
    ("createLegacyStudent", "201", "deleteLegacyStudent", Some(("student_id", "$response.body#/id")), ID),
    ("getLatestStudentChange", "200", "listStudentChanges", Some(("after", "$response.body#/token")), POSITION),
    ("updateLegacyStudent", "200", "getStudent", Some(("id", "$response.body#/author/id")), ID),
];

const TOKEN: &str = "Use the `token` of the response in the `Authorization` header.";
const REFRESH: &str = "Use the `refresh_token` of the response.";
const POSITION: &str = "The changes after this position.";
const ID: &str = "Use the id of the response.";
const NEXT: &str =
    "The next page, unless `next` is null. Repeat `limit` and the filters; the URL in the `Link` header contains them.";
const FIRST: &str = "Use the id of the page's first entry.";

/// The properties of an operation that links depend on.
struct Operation {
    path: String,
    method: String,
    id: String,
    /// Status and component of its successful response.
    success: Option<(String, String)>,
    accepts_if_match: bool,
}

/// Adds the links of every response. A record, which has an entity tag, links to the operations at and below its path. A page,
/// which has a cursor, links to the next page and to its first entry.
pub fn add(document: &mut Value) {
    let operations = operations(document);
    let mut links = Vec::new();
    for from in &operations {
        let Some((status, component)) = &from.success else { continue };
        let properties = &document["components"]["schemas"][component]["properties"];
        if properties.get("etag").is_some() {
            links.extend(record_links(from, &operations).map(|(target, link)| (from, status.as_str(), target, link)));
        }
        if properties.get("next").is_some() {
            let entries = properties.as_object().into_iter().flatten().find(|(_, schema)| schema["type"] == "array");
            let entries = entries.map(|(name, _)| name.as_str()).unwrap_or_default();
            // The next position of a feed is never null.
            let next = if properties["next"]["nullable"] == true { NEXT } else { POSITION };
            links.extend(
                page_links(from, entries, next, &operations).map(|(to, link)| (from, status.as_str(), to, link)),
            );
        }
        for (_, status, target, parameter, description) in EXPLICIT.iter().filter(|(id, ..)| *id == from.id) {
            let parameters = parameter.map(|(name, value)| (name.to_owned(), json!(value)));
            links.push((from, *status, *target, link(target, parameters.into_iter().collect(), description)));
        }
    }
    let links: Vec<_> = links
        .into_iter()
        .map(|(from, status, target, link)| {
            (from.path.clone(), from.method.clone(), status.to_owned(), target.to_owned(), link)
        })
        .collect();
    for (path, method, status, target, link) in links {
        document["paths"][path][method]["responses"][status]["links"][target] = link;
    }
}

fn operations(document: &mut Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let responses = operation["responses"].as_object().into_iter().flatten();
            let success = responses.filter(|(status, _)| status.starts_with('2')).find_map(|(status, response)| {
                let reference = response.pointer("/content/application~1json/schema/$ref")?.as_str()?;
                Some((status.clone(), reference.rsplit('/').next()?.to_owned()))
            });
            found.push(Operation {
                path: path.clone(),
                method: method.clone(),
                id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                success,
                accepts_if_match: operation["responses"].get("412").is_some(),
            });
        }
    }
    found
}

fn record_links<'a>(from: &'a Operation, operations: &'a [Operation]) -> impl Iterator<Item = (&'a str, Value)> + 'a {
    let record = match from.path.split_once("{id}") {
        Some((collection, _)) => format!("{collection}{{id}}"),
        None => format!("{}/{{id}}", from.path),
    };
    let targets = operations.iter().filter(move |to| to.path.starts_with(&record) && to.id != from.id);
    targets.map(|to| {
        let mut parameters = Map::from_iter([("id".to_owned(), json!("$response.body#/id"))]);
        if to.accepts_if_match {
            parameters.insert("If-Match".to_owned(), json!("$response.header.ETag"));
        }
        (to.id.as_str(), link(&to.id, parameters, ID))
    })
}

fn page_links<'a>(
    from: &'a Operation,
    entries: &str,
    description: &str,
    operations: &'a [Operation],
) -> impl Iterator<Item = (&'a str, Value)> + 'a {
    let mut next = Map::from_iter([("after".to_owned(), json!("$response.body#/next"))]);
    if from.path.contains("{id}") {
        next.insert("id".to_owned(), json!("$request.path.id"));
    }
    let next = (from.id.as_str(), link(&from.id, next, description));
    let entry = format!("{}/{{id}}", from.path);
    let first = json!(format!("$response.body#/{entries}/0/id"));
    let to_entry = operations.iter().find(|to| to.path == entry);
    let first = to_entry.map(|to| (to.id.as_str(), link(&to.id, Map::from_iter([("id".to_owned(), first)]), FIRST)));
    [next].into_iter().chain(first)
}

fn link(target: &str, parameters: Map<String, Value>, description: &str) -> Value {
    let mut link = json!({ "operationId": target, "description": description });
    if !parameters.is_empty() {
        link["parameters"] = Value::Object(parameters);
    }
    link
}

#[cfg(test)]
mod tests {
    use super::super::objects;
    use super::*;

    #[test]
    fn every_link_targets_an_operation() {
        let mut document = crate::http::document::tree().clone();
        let ids: Vec<_> = operations(&mut document).into_iter().map(|operation| operation.id).collect();
        let mut links = 0;
        for item in objects(&mut document["paths"]) {
            for operation in objects(item) {
                for response in objects(&mut operation["responses"]) {
                    for target in response["links"].as_object().into_iter().flat_map(Map::keys) {
                        assert!(ids.contains(target), "{target}");
                        links += 1;
                    }
                }
            }
        }
        assert!(
            EXPLICIT.iter().all(|(from, _, to, ..)| ids.iter().any(|id| id == from) && ids.iter().any(|id| id == to))
        );
        assert!(links > EXPLICIT.len() + 20, "{links}");
    }

    #[test]
    fn record_links_to_conditional_writes() {
        let document = crate::http::document::tree();
        let links = &document["paths"]["/students/{id}"]["get"]["responses"]["200"]["links"];
        for target in ["replaceStudent", "updateStudent", "deleteStudent"] {
            assert_eq!(links[target]["parameters"]["If-Match"], "$response.header.ETag", "{target}");
        }
    }
}
