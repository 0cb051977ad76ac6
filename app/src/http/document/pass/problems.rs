//! The problems that each operation can answer: its own, those of the edge, and an example of each.

use domain::user::Role;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::http::access::Access;
use crate::http::problem::{Kind, PROBLEM_JSON};

/// Every answer of 400 and above that an operation can make, in place of what its own type tells.
pub fn complete(operation: &mut Value, access: Option<Access>, schemas: &Value) {
    let takes_body = operation.get("requestBody").is_some();
    let example = invalid_fields(operation, schemas);
    let kinds = kinds(operation, access, takes_body);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    responses.retain(|status, _| status.as_str() < "400");
    for kind in &kinds {
        let entry = kind.entry();
        let response = responses.entry(entry.status.as_str()).or_insert_with(|| problem(entry.detail));
        let examples = &mut response["content"][PROBLEM_JSON]["examples"];
        examples[entry.slug] = match kind {
            Kind::InvalidFields | Kind::InvalidStudentData | Kind::IncompleteCredentials => {
                json!({ "summary": entry.title, "value": with_faults(*kind, &example) })
            }
            _ => json!({ "$ref": format!("#/components/examples/{}", entry.slug) }),
        };
    }
    for (status, response) in responses.iter_mut() {
        let of_status: Vec<_> = kinds.iter().filter(|kind| kind.entry().status.as_str() == status).collect();
        if of_status.len() > 1 {
            response["description"] = json!(reason(&of_status));
        }
    }
    responses.sort_keys();
}

/// One example for each type of problem.
pub fn shared_examples() -> Value {
    let example = |kind: &Kind| {
        let entry = kind.entry();
        (
            entry.slug.to_owned(),
            json!({ "summary": entry.title, "description": entry.remedy, "value": document(*kind) }),
        )
    };
    let shared = Kind::ALL.iter().filter(|kind| {
        // The first three differ by operation, the others belong to none.
        !matches!(
            kind,
            Kind::InvalidFields
                | Kind::InvalidStudentData
                | Kind::IncompleteCredentials
                | Kind::NotFound
                | Kind::MethodNotAllowed
        )
    });
    Value::Object(shared.map(example).collect())
}

/// Which problems an operation can answer, in order of their status.
fn kinds(operation: &Value, access: Option<Access>, takes_body: bool) -> Vec<Kind> {
    let own = own(operation);
    let looks_at_type = takes_body && !own.iter().any(|kind| kind.entry().status == StatusCode::BAD_REQUEST);
    let mut edge = vec![Kind::MalformedQuery, Kind::TooManyRequests, Kind::Internal];
    if makes_content(operation) {
        edge.push(Kind::NotAcceptable);
    }
    if access != Some(Access::Anybody) {
        edge.push(Kind::Unauthorized);
    }
    let asks_store = own.iter().any(|kind| kind.entry().status == StatusCode::SERVICE_UNAVAILABLE);
    if access != Some(Access::Anybody) || asks_store {
        edge.extend([Kind::Unavailable, Kind::DeadlineExceeded]);
    }
    match access {
        Some(Access::Role(Role::Viewer)) => edge.push(Kind::PasswordChangeDue),
        Some(Access::Role(_)) => edge.extend([Kind::InsufficientRole, Kind::PasswordChangeDue]),
        // Every user is a viewer at least: nobody who has a token lacks the role for what viewers may do.
        _ => {}
    }
    if takes_body {
        edge.extend([Kind::RequestTimeout, Kind::PayloadTooLarge]);
    }
    if looks_at_type {
        edge.extend([Kind::MalformedBody, Kind::UnsupportedMediaType]);
    }
    let more = edge.into_iter().filter(|kind| !own.contains(kind)).collect::<Vec<_>>();
    let mut kinds: Vec<_> = own.iter().copied().chain(more).collect();
    kinds.sort_by_key(|kind| kind.entry().status.as_u16());
    kinds
}

/// What the operation's own type says, see [`Refused`](crate::http::problem::Refused).
fn own(operation: &Value) -> Vec<Kind> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let slugs = responses
        .flat_map(|(_, response)| response["content"][PROBLEM_JSON]["schema"]["enum"].as_array().into_iter().flatten());
    slugs.filter_map(|slug| Kind::ALL.into_iter().find(|kind| *slug == kind.entry().slug)).collect()
}

fn makes_content(operation: &Value) -> bool {
    let mut responses = operation["responses"].as_object().into_iter().flatten();
    responses.any(|(status, response)| status.starts_with('2') && response.get("content").is_some())
}

fn problem(description: &str) -> Value {
    let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "examples": {} });
    json!({ "description": description, "content": { PROBLEM_JSON: content } })
}

/// What a status means where several problems share it.
fn reason(kinds: &[&Kind]) -> String {
    let Some(status) = kinds.first().map(|kind| kind.entry().status) else { return String::new() };
    let reason = match status {
        StatusCode::UNAUTHORIZED => "The credentials are not good; `type` tells which.",
        StatusCode::FORBIDDEN => {
            "The role is too low, or the password has to be changed before anything else; `type` tells which."
        }
        StatusCode::CONFLICT => "A rule about other records is broken; `type` tells which.",
        StatusCode::TOO_MANY_REQUESTS => "Too much was tried; `type` tells what, `Retry-After` when to try again.",
        StatusCode::SERVICE_UNAVAILABLE => "It cannot be done now; `type` tells why, `Retry-After` when to try again.",
        _ => return capitalised(&kinds.iter().map(|kind| fault(**kind)).collect::<Vec<_>>().join(", or ")),
    };
    reason.to_owned()
}

/// What is wrong with a request, as a part of a sentence.
fn fault(kind: Kind) -> &'static str {
    match kind {
        Kind::MalformedQuery => "the query cannot be read",
        Kind::MalformedBody => "the body cannot be read",
        Kind::IncompleteCredentials => "the name or the password is missing",
        Kind::InvalidStudentData => "the student's data break a rule, or the roll number is taken",
        Kind::MissingStudentId => "no student is named",
        Kind::WrongStudentId => "there is no such student",
        kind => kind.entry().title,
    }
}

fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}; `type` tells which.", first.to_ascii_uppercase())
}

/// The problem as it goes over the wire.
fn document(kind: Kind) -> Value {
    let entry = kind.entry();
    let mut document = json!({
        "type": format!("/problems/{}", entry.slug),
        "title": entry.title,
        "status": entry.status.as_u16(),
        "detail": entry.detail,
        "description": entry.detail,
        "request_id": "63af6b99-4",
    });
    if kind == Kind::MissingStudentId {
        document["msg"] = json!(entry.detail);
    }
    document
}

fn with_faults(kind: Kind, faults: &Value) -> Value {
    let mut document = document(kind);
    document["errors"] = faults.clone();
    document
}

/// What can be at fault in a request of this operation: one of its own fields, or one of its parameters.
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
