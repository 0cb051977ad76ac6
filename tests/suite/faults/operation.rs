//! The operations of the API document, and the problems listed for each.

use app::http::access::Access;
use domain::student::ChangeToken;
use serde_json::Value;

/// An operation of the API document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub access: Access,
    pub public: bool,
    pub has_body: bool,
    /// An example of a valid body.
    body: Value,
    /// The status and the last segment of the type of each documented problem.
    pub problems: Vec<(u16, String)>,
}

/// All operations of the API document.
pub fn operations() -> Vec<Operation> {
    let document = app::http::document::tree();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let access = Access::of(operation).unwrap();
            let examples = operation.pointer("/requestBody/content/application~1json/examples");
            let body = examples.and_then(|examples| examples.as_object()?.values().next());
            operations.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                access,
                public: access.is_public(),
                has_body: operation.get("requestBody").is_some(),
                body: body.map(|example| resolved(document, example)["value"].clone()).unwrap_or_default(),
                problems: problems(document, &operation["responses"]),
                id,
            });
        }
    }
    operations
}

fn problems(document: &Value, responses: &Value) -> Vec<(u16, String)> {
    let mut problems = Vec::new();
    for (status, response) in responses.as_object().unwrap() {
        let content = resolved(document, response).pointer("/content/application~1problem+json");
        let examples = content.and_then(|content| content["examples"].as_object()).into_iter().flatten();
        for (_, example) in examples {
            let kind = resolved(document, example)["value"]["type"].as_str().unwrap();
            problems.push((status.parse().unwrap(), kind.strip_prefix("/problems/").unwrap().to_owned()));
        }
    }
    problems
}

fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    reference.map_or(value, |reference| document.pointer(reference.trim_start_matches('#')).unwrap())
}

impl Operation {
    /// Returns `true` if the document lists this problem.
    pub fn documents(&self, slug: &str) -> bool {
        self.problems.iter().any(|(_, documented)| documented == slug)
    }

    /// Returns `true` if the operation belongs to the legacy API.
    pub fn is_legacy(&self) -> bool {
        ["/login", "/student"].contains(&self.path.as_str())
    }

    /// The required query, with this token of the feed of changes.
    pub fn query(&self, token: &ChangeToken) -> String {
        match self.id.as_str() {
            "updateLegacyStudent" | "deleteLegacyStudent" => "?student_id=1".to_owned(),
            "listStudentChanges" => format!("?after={token}"),
            _ => String::new(),
        }
    }

    /// A valid body with another value in one field.
    pub fn body_with(&self, field: &str, value: Value) -> Value {
        let mut body = self.body.clone();
        body[field] = value;
        body
    }

    /// A valid body, if the operation has one.
    pub fn body(&self) -> Option<&Value> {
        self.has_body.then_some(&self.body)
    }
}
