//! Compares recorded exchanges with the document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jsonschema::{Draft, Validator};
use serde_json::{Deserializer, Value, json};

use super::exchange::{Body, Exchange};
use crate::document::{Document, Header, Operation, Response};

/// Headers that are not documented for each response: those of HTTP itself.
const TRANSPORT: [&str; 5] = ["date", "content-length", "connection", "transfer-encoding", "content-type"];

const PROBLEM: &str = "application/problem+json";

/// Pages for browsers, which are not part of the API.
const PAGES: [&str; 4] = ["/", "/docs", "/docs/*", "/problems/*"];

/// Findings about the exchanges so far.
pub struct Judge<'d> {
    document: &'d Document,
    /// Compiled schemas, by their text.
    validators: HashMap<String, Result<Validator, String>>,
    /// Number of exchanges with operations.
    pub inside: usize,
    /// Number of other exchanges: unknown paths and methods, and pages.
    pub outside: usize,
    /// Number of bodies that were not recorded, and so not validated.
    pub unread: usize,
    /// Statements of [`documented`] that an exchange has shown.
    pub seen: BTreeSet<String>,
    /// Undocumented responses, each with its frequency.
    pub undocumented: BTreeMap<String, usize>,
    /// Contradictions to the document, each with its frequency.
    pub untrue: BTreeMap<String, usize>,
}

impl<'d> Judge<'d> {
    pub fn new(document: &'d Document) -> Self {
        Self {
            document,
            validators: HashMap::new(),
            inside: 0,
            outside: 0,
            unread: 0,
            seen: BTreeSet::new(),
            undocumented: BTreeMap::new(),
            untrue: BTreeMap::new(),
        }
    }

    pub fn judge(&mut self, exchange: &Exchange) {
        let document = self.document;
        let kind = problem(exchange).and_then(|problem| Some(problem["type"].as_str()?.to_owned()));
        let common = kind.filter(|kind| document.problem_types.contains(kind));
        match document.operation(&exchange.method, &exchange.path) {
            Some(operation) if common.is_none() => self.inside(operation, exchange),
            _ => self.outside(exchange),
        }
        self.seen.extend(common);
        if problem(exchange).is_some_and(|problem| problem["status"] != exchange.status) {
            self.untrue(format!("{} {}: the problem has another status", exchange.method, exchange.path));
        }
    }

    /// Outside of operations, errors must be problem documents, and only pages are successful.
    fn outside(&mut self, exchange: &Exchange) {
        self.outside += 1;
        let Exchange { method, path, status, .. } = exchange;
        if *status >= 400 {
            let is_problem = exchange.media_type() == PROBLEM;
            if !is_problem {
                self.untrue(format!("{method} {path} {status}: no problem document"));
            } else if method != "HEAD" {
                let schema = json!({ "$ref": "#/components/schemas/Problem" });
                self.body(&format!("{method} {path} {status}"), &schema, exchange);
            }
        } else if method != "OPTIONS" && !PAGES.iter().any(|page| is_page(page, path)) {
            self.undocumented(format!("{method} {path} {status}: no such operation"));
        }
    }

    fn inside(&mut self, operation: &Operation, exchange: &Exchange) {
        self.inside += 1;
        let status = exchange.status;
        let name = format!("{} {status}", operation.id);
        let Some(response) = operation.responses.get(&status) else {
            self.undocumented(name);
            return;
        };
        // A response to HEAD is no evidence for what the operation documents.
        let whole = exchange.method != "HEAD";
        if whole {
            self.seen.insert(name.clone());
        }
        self.headers(operation, response, exchange, whole);
        if let Some(Value::String(kind)) = problem(exchange).map(|mut problem| problem["type"].take()) {
            if response.problem_types.contains(&kind) {
                self.seen.insert(format!("{name} {kind}"));
            } else if !response.problem_types.is_empty() {
                self.undocumented(format!("{name} {kind}"));
            }
        }
        let media_type = exchange.media_type();
        match response.media(&media_type) {
            Some(_) if !whole => {}
            Some(media) => {
                self.seen.insert(format!("{name} {media_type}"));
                self.body(&name, &media.schema, exchange);
            }
            None if !media_type.is_empty() => self.undocumented(format!("{name} {media_type}")),
            None if exchange.body != Body::None => self.undocumented(format!("{name}: a body without a media type")),
            None if !response.content.is_empty() => self.untrue(format!("{name}: no body")),
            None => {}
        }
    }

    fn headers(&mut self, operation: &Operation, response: &Response, exchange: &Exchange, whole: bool) {
        let name = format!("{} {}", operation.id, exchange.status);
        for (header, value) in &exchange.headers {
            if TRANSPORT.contains(&header.as_str()) {
                continue;
            }
            let Some((header, documented)) = response.header(header) else {
                self.undocumented(format!("{name} header {header}"));
                continue;
            };
            if let Err(error) = self.fits(&documented.schema, &header_value(documented, value)) {
                self.untrue(format!("{name} header {header}: {error}"));
            }
            if whole {
                self.seen.insert(format!("{name} header {header}"));
            }
        }
        for (header, _) in response.headers.iter().filter(|(_, header)| header.required) {
            if !exchange.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(header)) {
                self.untrue(format!("{name} header {header}: required, and absent"));
            }
        }
    }

    fn body(&mut self, name: &str, schema: &Value, exchange: &Exchange) {
        let media_type = exchange.media_type();
        let is_lines = media_type.ends_with("ndjson");
        let text = match &exchange.body {
            Body::Text(text) => text.as_str(),
            Body::None if is_lines => "",
            Body::None => return self.untrue(format!("{name}: no body")),
            Body::NotRecorded => return self.unread += 1,
        };
        let value = if is_lines {
            let lines = Deserializer::from_str(text).into_iter::<Value>().collect::<serde_json::Result<Vec<_>>>();
            lines.map(|_| json!(text)).map_err(|error| error.to_string())
        } else if media_type.ends_with("json") {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else if media_type.ends_with("yaml") {
            // The schema is a string; the text must be valid YAML.
            yaml_serde::from_str::<Value>(text).map(|_| json!(text)).map_err(|error| error.to_string())
        } else {
            Ok(json!(text))
        };
        let judged = value.map_err(|error| format!("no {media_type}: {error}")).and_then(|it| self.fits(schema, &it));
        judged.unwrap_or_else(|error| self.untrue(format!("{name}: {error}")));
    }

    /// Validates a value against a schema of the document.
    fn fits(&mut self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": { "schemas": self.document.components.schemas } });
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            options.build(&whole).map_err(|error| format!("the schema cannot be read: {error}"))
        });
        let validator = validator.as_ref().map_err(Clone::clone)?;
        let Some(error) = validator.iter_errors(value).next() else { return Ok(()) };
        // The value is masked: it may be a secret, and findings are grouped by their text.
        Err(format!("{} at {}", error.masked(), or_root(error.instance_path().as_str())))
    }

    fn undocumented(&mut self, what: String) {
        *self.undocumented.entry(what).or_default() += 1;
    }

    fn untrue(&mut self, what: String) {
        *self.untrue.entry(what).or_default() += 1;
    }
}

/// The statements of a document about responses, as in `getMe 200`, `getMe 200 application/json`, `getMe 503 /problems/busy`
/// and `getMe 200 header ETag`.
pub fn documented(document: &Document) -> BTreeSet<String> {
    let mut statements = document.problem_types.clone();
    for operation in &document.operations {
        for (status, response) in &operation.responses {
            let name = format!("{} {status}", operation.id);
            statements.extend(response.content.keys().map(|it| format!("{name} {}", it.to_ascii_lowercase())));
            statements.extend(response.problem_types.iter().map(|it| format!("{name} {it}")));
            statements.extend(response.headers.keys().map(|it| format!("{name} header {it}")));
            statements.insert(name);
        }
    }
    statements
}

/// The problem in a response, if there is one.
fn problem(exchange: &Exchange) -> Option<Value> {
    match &exchange.body {
        Body::Text(text) if exchange.media_type() == PROBLEM => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn or_root(pointer: &str) -> &str {
    if pointer.is_empty() { "its root" } else { pointer }
}

/// A header's value in the type of its schema (OpenAPI, style `simple`).
fn header_value(header: &Header, value: &str) -> Value {
    match header.schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        _ => json!(value),
    }
}

fn is_page(template: &str, path: &str) -> bool {
    template.strip_suffix('*').map_or(template == path, |folder| path.starts_with(folder))
}
