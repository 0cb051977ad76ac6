//! The problem responses of each operation: its own, those of the edge, and an example of each.

use domain::access::{PermissionEntry, Requirement, Role};
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::http::access::Access;
use crate::http::problem::{PROBLEM_JSON, ProblemType};

/// Replaces the error responses that an operation's type lists by the complete ones.
pub fn complete(operation: &mut Value, access: Access, schemas: &Value) {
    let has_body = operation.get("requestBody").is_some();
    let example = invalid_fields(operation, schemas);
    let kinds = problem_types(operation, access, has_body);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    responses.retain(|status, _| status.as_str() < "400");
    for kind in &kinds {
        let entry = kind.entry();
        let response = responses.entry(entry.status.as_str()).or_insert_with(|| problem(entry.detail));
        let examples = &mut response["content"][PROBLEM_JSON]["examples"];
        examples[entry.slug] = match kind {
            ProblemType::InvalidFields | ProblemType::InvalidStudentData | ProblemType::IncompleteCredentials => {
                json!({ "summary": entry.title, "value": with_errors(*kind, &example) })
            }
            _ => json!({ "$ref": format!("#/components/examples/{}", entry.slug) }),
        };
    }
    for (status, response) in responses.iter_mut() {
        let of_status: Vec<_> = kinds.iter().filter(|kind| kind.entry().status.as_str() == status).collect();
        if !of_status.is_empty() {
            response["x-problem-types"] = of_status.iter().map(|kind| kind.uri()).collect();
        }
        if of_status.len() > 1 {
            response["description"] = json!(describe_status(&of_status));
        }
    }
    responses.sort_keys();
}

/// One example for each type of problem.
pub fn shared_examples() -> Value {
    let example = |kind: &ProblemType| {
        let entry = kind.entry();
        (
            entry.slug.to_owned(),
            json!({ "summary": entry.title, "description": entry.remedy, "value": document(*kind) }),
        )
    };
    let shared = ProblemType::ALL.iter().filter(|kind| {
        let differs_by_operation = matches!(
            kind,
            ProblemType::InvalidFields | ProblemType::InvalidStudentData | ProblemType::IncompleteCredentials
        );
        !differs_by_operation && !ProblemType::OUTSIDE_OPERATIONS.contains(kind)
    });
    Value::Object(shared.map(example).collect())
}

/// The problems of an operation, in order of their status.
fn problem_types(operation: &Value, access: Access, has_body: bool) -> Vec<ProblemType> {
    let own = own_problems(operation);
    let mut edge = vec![ProblemType::MalformedQuery];
    if access != Access::Unmetered {
        edge.push(ProblemType::TooManyRequests);
    }
    if has_content(operation) {
        edge.push(ProblemType::NotAcceptable);
    }
    if !access.is_public() {
        edge.push(ProblemType::Unauthorized);
    }
    let uses_store = own.iter().any(|kind| kind.entry().status == StatusCode::SERVICE_UNAVAILABLE);
    // An operation without a port, such as the liveness, cannot fail.
    if access != Access::Unmetered || uses_store {
        edge.push(ProblemType::Internal);
    }
    if !access.is_public() || uses_store {
        edge.extend([ProblemType::Unavailable, ProblemType::DeadlineExceeded]);
    }
    match access {
        Access::Permission(PermissionEntry { requirement: Requirement::Role(role), .. }) => {
            edge.push(ProblemType::PasswordChangeDue);
            // Every user is at least a viewer.
            if *role > Role::Viewer {
                edge.push(ProblemType::InsufficientRole);
            }
        }
        Access::Public | Access::Unmetered | Access::Permission(_) => {}
    }
    if own.contains(&ProblemType::StaleVersion) {
        edge.push(ProblemType::MalformedCondition);
    }
    if has_body {
        // These apply to bodies of any media type.
        edge.extend([ProblemType::RequestTimeout, ProblemType::PayloadTooLarge]);
        edge.extend([ProblemType::MalformedBody, ProblemType::UnsupportedMediaType]);
    }
    let more = edge.into_iter().filter(|kind| !own.contains(kind)).collect::<Vec<_>>();
    let mut kinds: Vec<_> = own.iter().copied().chain(more).collect();
    kinds.sort_by_key(|kind| kind.entry().status.as_u16());
    kinds
}

/// The problems that the operation's type lists, see [`OperationError`](crate::http::problem::OperationError).
fn own_problems(operation: &Value) -> Vec<ProblemType> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let slugs = responses
        .flat_map(|(_, response)| response["content"][PROBLEM_JSON]["schema"]["enum"].as_array().into_iter().flatten());
    slugs.filter_map(|slug| ProblemType::ALL.iter().copied().find(|kind| *slug == kind.entry().slug)).collect()
}

fn has_content(operation: &Value) -> bool {
    let mut responses = operation["responses"].as_object().into_iter().flatten();
    responses.any(|(status, response)| status.starts_with('2') && response.get("content").is_some())
}

fn problem(description: &str) -> Value {
    let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "examples": {} });
    json!({ "description": description, "content": { PROBLEM_JSON: content } })
}

/// The description of a status that several problems share.
fn describe_status(kinds: &[&ProblemType]) -> String {
    let Some(status) = kinds.first().map(|kind| kind.entry().status) else { return String::new() };
    let reason = match status {
        StatusCode::UNAUTHORIZED => "The credentials are invalid; `type` states why.",
        StatusCode::FORBIDDEN => {
            "The role is not sufficient, or the password must be changed first; `type` states which."
        }
        StatusCode::CONFLICT => "The request conflicts with other records; `type` states how.",
        StatusCode::TOO_MANY_REQUESTS => {
            "A limit is exceeded; `type` states which, and `Retry-After` the delay before a retry."
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            "The service is temporarily unavailable; `type` states why, and `Retry-After` the delay before a retry."
        }
        _ => return capitalised(&kinds.iter().map(|kind| cause(**kind)).collect::<Vec<_>>().join(", or ")),
    };
    reason.to_owned()
}

/// The cause of a problem, as a clause.
fn cause(kind: ProblemType) -> &'static str {
    match kind {
        ProblemType::MalformedQuery => "the query is malformed",
        ProblemType::MalformedBody => "the body is malformed",
        ProblemType::MalformedCondition => "a condition is malformed",
        ProblemType::IncompleteCredentials => "the username or the password is missing",
        ProblemType::InvalidStudentData => "a field is invalid, or another student has this roll number",
        ProblemType::MissingStudentId => "the student id is missing",
        ProblemType::WrongStudentId => "the student does not exist",
        kind => kind.entry().title,
    }
}

fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}; `type` states which.", first.to_ascii_uppercase())
}

/// The problem document, as the server sends it.
fn document(kind: ProblemType) -> Value {
    let entry = kind.entry();
    let mut document = json!({
        "type": kind.uri(),
        "title": entry.title,
        "status": entry.status.as_u16(),
        "detail": entry.detail,
        "description": entry.detail,
        "request_id": "63af6b99-4",
    });
    if kind == ProblemType::MissingStudentId {
        document["msg"] = json!(entry.detail);
    }
    document
}

fn with_errors(kind: ProblemType, errors: &Value) -> Value {
    let mut document = document(kind);
    document["errors"] = errors.clone();
    document
}

/// Errors for a field or parameter of this operation.
fn invalid_fields(operation: &Value, schemas: &Value) -> Value {
    let schema = operation.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
    let schema = schema.and_then(|reference| reference.rsplit('/').next()).map(|name| &schemas[name]);
    if let Some(schema) = schema {
        let required = schema["required"].as_array().and_then(|required| required.first()).and_then(Value::as_str);
        if let Some(field) = required {
            return json!([{ "pointer": format!("/{field}"), "detail": "is missing" }]);
        }
        let field = schema["properties"].as_object().and_then(|properties| properties.keys().next());
        let pointer = field.map(|field| format!("/{field}")).unwrap_or_default();
        return json!([{ "pointer": pointer, "detail": "must not be null" }]);
    }
    json!([{ "parameter": "limit", "detail": "must be an integer" }])
}
