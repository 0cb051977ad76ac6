//! The operations of the document, and the problems that it tells of each.

use app::http::access::Access;
use serde_json::Value;

/// An operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub access: Access,
    pub public: bool,
    pub takes_body: bool,
    /// The example of a body that is taken.
    body: Value,
    /// Each problem that an answer can be, with its status: the last segment of its type.
    pub problems: Vec<(u16, String)>,
}

/// Every operation.
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
                public: access == Access::Public,
                takes_body: operation.get("requestBody").is_some(),
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
    /// Whether an answer can be this problem.
    pub fn tells(&self, slug: &str) -> bool {
        self.problems.iter().any(|(_, told)| told == slug)
    }

    /// Whether it is one of the articles' operations.
    pub fn is_legacy(&self) -> bool {
        ["/login", "/student"].contains(&self.path.as_str())
    }

    /// The query without which the operation refuses everything.
    pub fn query(&self) -> &'static str {
        match self.id.as_str() {
            "updateLegacyStudent" | "deleteLegacyStudent" => "?student_id=1",
            _ => "",
        }
    }

    /// A body that is taken, with one of its fields put in place of the example's.
    pub fn body_with(&self, field: &str, value: Value) -> Value {
        let mut body = self.body.clone();
        body[field] = value;
        body
    }

    /// A body that is taken, where there is one.
    pub fn body(&self) -> Option<&Value> {
        self.takes_body.then_some(&self.body)
    }
}
