//! Compares exchanges with the document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::document::{Answer, Document, Header, Operation};
use super::exchange::{Body, Exchange};
use super::promise::{Promise, What};

/// Headers that need no documentation. The first say how the bytes travel and how they are kept, in the same way in every
/// response of every service, and the document states the media type elsewhere. The last one is for the browser
/// around a page, which does as it says and hides it from the page.
const TRANSPORT: [&str; 7] = [
    "date",
    "content-length",
    "connection",
    "transfer-encoding",
    "content-type",
    "vary",
    "access-control-expose-headers",
];

/// The media type of problems.
const PROBLEM: &str = "application/problem+json";

/// What is for people, beside the document.
const PAGES: [&str; 4] = ["/", "/docs", "/docs/*", "/problems/*"];

/// What came out of the exchanges so far.
pub struct Judge<'d> {
    document: &'d Document,
    /// By the text of their schema.
    validators: HashMap<String, Result<Validator, String>>,
    /// Exchanges with operations.
    pub inside: usize,
    /// Exchanges with what is no operation: unknown paths, other methods, pages.
    pub outside: usize,
    /// Bodies that could not be validated, because they were not recorded.
    pub unread: usize,
    pub seen: BTreeSet<Promise>,
    /// What is not documented, each with how often it was seen.
    pub undocumented: BTreeMap<String, usize>,
    /// What is otherwise than documented, each with how often it was seen.
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
        match document.operation(&exchange.method, &exchange.path) {
            Some(at) => self.inside(&document.operations[at], exchange),
            None => self.outside(exchange),
        }
        if problem(exchange).is_some_and(|problem| problem["status"] != exchange.status) {
            self.untrue(format!("{} {}: the problem has another status", exchange.method, exchange.path));
        }
    }

    /// A 401, 404 or 405 beside the document is none of its business, but has to be a problem.
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
        let Some(answer) = operation.answers.get(&status) else {
            self.undocumented(name);
            return;
        };
        // Of an answer to HEAD the rest is left out: it proves nothing of GET's.
        let whole = exchange.method != "HEAD";
        if whole {
            self.seen.insert(Promise::new(operation, status, What::Status));
        }
        self.headers(operation, answer, exchange, whole);
        if let Some(Value::String(kind)) = problem(exchange).map(|mut problem| problem["type"].take()) {
            if answer.problems.contains(&kind) {
                self.seen.insert(Promise::new(operation, status, What::Problem(kind)));
            } else if !answer.problems.is_empty() {
                self.undocumented(format!("{name} {kind}"));
            }
        }
        let media_type = exchange.media_type();
        match answer.content.get(&media_type) {
            Some(_) if !whole => {}
            Some(schema) => {
                self.seen.insert(Promise::new(operation, status, What::MediaType(media_type)));
                self.body(&name, schema, exchange);
            }
            None if !media_type.is_empty() => self.undocumented(format!("{name} {media_type}")),
            None if exchange.body != Body::None => self.undocumented(format!("{name}: a body without a media type")),
            None if !answer.content.is_empty() => self.untrue(format!("{name}: no body")),
            None => {}
        }
    }

    fn headers(&mut self, operation: &Operation, answer: &Answer, exchange: &Exchange, whole: bool) {
        let name = format!("{} {}", operation.id, exchange.status);
        for (header, value) in &exchange.headers {
            if TRANSPORT.contains(&header.as_str()) {
                continue;
            }
            let Some(documented) = answer.headers.get(header) else {
                self.undocumented(format!("{name} header {header}"));
                continue;
            };
            if let Err(why) = self.fits(&documented.schema, &header_value(documented, value)) {
                self.untrue(format!("{name} header {}: {why}", documented.name));
            }
            if whole {
                let what = What::Header(documented.name.clone());
                self.seen.insert(Promise::new(operation, exchange.status, what));
            }
        }
        for (header, documented) in answer.headers.iter().filter(|(_, documented)| documented.required) {
            if !exchange.headers.iter().any(|(given, _)| given == header) {
                self.untrue(format!("{name} header {}: required, and not there", documented.name));
            }
        }
    }

    fn body(&mut self, name: &str, schema: &Value, exchange: &Exchange) {
        let text = match &exchange.body {
            Body::Text(text) => text,
            Body::None => return self.untrue(format!("{name}: no body")),
            Body::NotKept => {
                self.unread += 1;
                return;
            }
        };
        let media_type = exchange.media_type();
        let value = if media_type.ends_with("json") {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else if media_type.ends_with("yaml") {
            // Documented as text, which has to be YAML all the same.
            yaml_serde::from_str::<Value>(text).map(|_| json!(text)).map_err(|error| error.to_string())
        } else {
            Ok(Value::String(text.clone()))
        };
        let judged = value.map_err(|error| format!("no {media_type}: {error}")).and_then(|it| self.fits(schema, &it));
        if let Err(why) = judged {
            self.untrue(format!("{name}: {why}"));
        }
    }

    /// Whether a value fits a schema of the document; else where not, and why.
    fn fits(&mut self, schema: &Value, value: &Value) -> Result<(), String> {
        let components = &self.document.components;
        let validator = self.validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": { "schemas": components["schemas"] } });
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            options.build(&whole).map_err(|error| format!("the schema cannot be read: {error}"))
        });
        let validator = validator.as_ref().map_err(Clone::clone)?;
        let Some(error) = validator.iter_errors(value).next() else { return Ok(()) };
        // The value itself differs from answer to answer, and may be a secret.
        Err(format!("{} at {}", error.masked(), or_root(error.instance_path().as_str())))
    }

    fn undocumented(&mut self, what: String) {
        *self.undocumented.entry(what).or_default() += 1;
    }

    fn untrue(&mut self, what: String) {
        *self.untrue.entry(what).or_default() += 1;
    }
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

/// A header's value as its schema wants it (OpenAPI, style `simple`).
fn header_value(header: &Header, value: &str) -> Value {
    match header.schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        _ => json!(value),
    }
}

fn is_page(template: &str, path: &str) -> bool {
    template.strip_suffix('*').map_or(template == path, |folder| path.starts_with(folder))
}
