//! Typed reader of OpenAPI documents, 3.0 and 3.1. Schemas stay JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use clap::ValueEnum;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::{Failure, Result, Settle};

/// Maximum number of references that lead to one another.
const MAX_REFERENCES: usize = 16;

/// An OpenAPI document. References are resolved, except those to schemas.
#[derive(Debug, Default, Deserialize)]
pub struct Document {
    pub openapi: String,
    #[serde(default)]
    pub info: Info,
    #[serde(default)]
    pub servers: Vec<Server>,
    #[serde(default)]
    security: Vec<Map<String, Value>>,
    #[serde(default)]
    pub components: Components,
    /// Problems that every request can get before its operation is known.
    #[serde(rename = "x-problem-types", default)]
    pub problem_types: BTreeSet<String>,
    /// In the order of the document.
    #[serde(skip)]
    pub operations: Vec<Operation>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Info {
    #[serde(default)]
    pub version: String,
}

#[derive(Debug, Deserialize)]
pub struct Server {
    pub url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Components {
    pub schemas: Value,
    pub security_schemes: Value,
}

/// A method of a path.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// In upper case.
    #[serde(skip)]
    pub method: String,
    #[serde(skip)]
    pub path: String,
    #[serde(rename = "operationId")]
    pub id: String,
    pub tags: Vec<String>,
    pub deprecated: bool,
    /// Alternatives; empty for an operation without authentication.
    pub security: Option<Vec<Map<String, Value>>>,
    #[serde(rename = "x-permission")]
    pub permission: Option<String>,
    #[serde(rename = "x-required-role")]
    pub role: Option<Role>,
    /// Its own and those of its path.
    pub parameters: Vec<Parameter>,
    pub request_body: Option<Body>,
    pub responses: BTreeMap<u16, Response>,
}

/// Roles in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// No token.
    Anonymous,
    Viewer,
    Registrar,
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.pad(value.get_name()))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query` or `header`.
    #[serde(rename = "in")]
    pub location: String,
    pub required: bool,
    pub schema: Value,
    pub style: Option<String>,
    pub explode: Option<bool>,
    pub content: BTreeMap<String, Media>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Body {
    pub required: bool,
    pub content: BTreeMap<String, Media>,
}

/// The response of an operation with a status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Response {
    pub headers: BTreeMap<String, Header>,
    /// By media type.
    pub content: BTreeMap<String, Media>,
    pub links: BTreeMap<String, Value>,
    /// URI references; empty if all are possible.
    #[serde(rename = "x-problem-types")]
    pub problem_types: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Media {
    pub schema: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Header {
    pub required: bool,
    pub schema: Value,
}

impl Document {
    /// Reads a file of YAML or JSON.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).or_fail(file.display())?;
        Self::parse(&text).or_fail(file.display())
    }

    /// Parses YAML or JSON.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(&yaml_serde::from_str(text).or_fail("cannot be parsed")?)
    }

    /// Reads a parsed document.
    pub fn of(source: &Value) -> Result<Self> {
        let mut document: Self = serde_json::from_value(source.clone()).or_fail("the document")?;
        for (path, item) in source["paths"].as_object().into_iter().flatten() {
            let item = inlined(source, item, MAX_REFERENCES);
            let shared: Vec<Parameter> = item.get("parameters").map_or(Ok(Vec::new()), read)?;
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation.get("responses").is_none() {
                    continue;
                }
                let mut operation: Operation = read(operation)?;
                operation.method = method.to_ascii_uppercase();
                operation.path.clone_from(path);
                operation.security.get_or_insert_with(|| document.security.clone());
                for parameter in &shared {
                    let is_same =
                        |own: &Parameter| (&own.name, &own.location) == (&parameter.name, &parameter.location);
                    if !operation.parameters.iter().any(is_same) {
                        operation.parameters.push(parameter.clone());
                    }
                }
                document.operations.push(operation);
            }
        }
        Ok(document)
    }

    /// The operation of a request. The operation of HEAD is that of GET.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        let of_method = || self.operations.iter().filter(|operation| operation.method == method);
        let exact = of_method().find(|operation| operation.path == path);
        exact.or_else(|| of_method().find(|operation| matches(&operation.path, path)))
    }

    /// The first number of `info.version`.
    pub fn major_version(&self) -> Result<u64> {
        let version = &self.info.version;
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        major.ok_or_else(|| Failure::new(format_args!("info.version {version:?} is not a version")))
    }

    /// The schema that a reference names; `Null` if there is none.
    pub fn schema(&self, name: &str) -> &Value {
        &self.components.schemas[name]
    }
}

impl Operation {
    /// Method and path.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether a request needs a token.
    pub fn is_secured(&self) -> bool {
        self.security.as_ref().is_some_and(|alternatives| !alternatives.is_empty())
    }

    /// The lowest role that may call it. A token of any role suffices if the document names none.
    pub fn least_role(&self) -> Role {
        let without = if self.is_secured() { Role::Viewer } else { Role::Anonymous };
        self.role.unwrap_or(without)
    }
}

impl Response {
    /// The schema of a media type without parameters, ignoring case.
    pub fn media(&self, media_type: &str) -> Option<&Media> {
        self.content.iter().find(|(name, _)| name.eq_ignore_ascii_case(media_type)).map(|(_, media)| media)
    }

    /// A header with its name in the document, ignoring case.
    pub fn header(&self, name: &str) -> Option<(&str, &Header)> {
        let mut headers = self.headers.iter().map(|(name, header)| (name.as_str(), header));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// The name of the component that a schema refers to, directly or as the only part of an `allOf`.
pub fn reference(schema: &Value) -> Option<&str> {
    match (&schema["$ref"], schema["allOf"].as_array().map(Vec::as_slice)) {
        (Value::String(pointer), _) => pointer.strip_prefix("#/components/schemas/"),
        (_, Some([only])) => reference(only),
        _ => None,
    }
}

fn read<T: for<'d> Deserialize<'d>>(value: &Value) -> Result<T> {
    T::deserialize(value).or_fail("the document")
}

/// The value with the targets of its references, except those to schemas.
fn inlined(document: &Value, value: &Value, depth: usize) -> Value {
    let inner = |value| inlined(document, value, depth);
    match value {
        Value::Object(fields) => {
            let pointer =
                fields.get("$ref").and_then(Value::as_str).filter(|it| !it.starts_with("#/components/schemas/"));
            match (pointer, depth.checked_sub(1)) {
                (Some(pointer), Some(depth)) => {
                    let target = pointer.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                    inlined(document, target.unwrap_or(&Value::Null), depth)
                }
                _ => fields.iter().map(|(name, value)| (name.clone(), inner(value))).collect(),
            }
        }
        Value::Array(values) => values.iter().map(inner).collect(),
        other => other.clone(),
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (parts, segments) = (template.split('/'), path.split('/'));
    // A segment that does not decode to UTF-8 is no parameter value.
    let is_value = |segment: &str| !segment.is_empty() && percent_decode_str(segment).decode_utf8().is_ok();
    parts.clone().count() == segments.clone().count()
        && parts.zip(segments).all(|(part, segment)| part == segment || (part.starts_with('{') && is_value(segment)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn request_matches_the_operation_of_its_path() {
        let operation = |id: &str| json!({ "operationId": id, "responses": {} });
        let document = json!({ "openapi": "3.0.3", "paths": {
            "/users/{id}": { "get": operation("getUser") },
            "/users/me": { "get": operation("getMe") },
        } });
        let document = Document::of(&document).unwrap();
        let id = |method, path| document.operation(method, path).map(|operation| operation.id.as_str());
        assert_eq!(id("GET", "/users/7"), Some("getUser"));
        assert_eq!(id("HEAD", "/users/me"), Some("getMe"));
        for (method, path) in
            [("PUT", "/users/7"), ("GET", "/users/"), ("GET", "/users/7/8"), ("GET", "/users"), ("GET", "/users/%ff")]
        {
            assert_eq!(id(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn references_are_resolved_except_to_schemas() {
        let document = Document::of(&json!({
            "openapi": "3.0.3",
            "paths": { "/a": { "parameters": [{ "$ref": "#/components/parameters/Id" }], "get": {
                "responses": { "200": { "$ref": "#/components/responses/Alias" } },
            } } },
            "components": {
                "parameters": { "Id": { "name": "id", "in": "query" } },
                "responses": { "Alias": { "$ref": "#/components/responses/A" }, "A": {
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } },
                    "headers": { "ETag": { "required": true } },
                } },
            },
        }));
        let operation = &document.unwrap().operations[0];
        assert_eq!(operation.parameters[0].name, "id");
        let response = &operation.responses[&200];
        assert_eq!(reference(&response.media("Application/JSON").unwrap().schema), Some("A"));
        assert!(response.header("etag").is_some_and(|(name, header)| name == "ETag" && header.required));
    }

    #[test]
    fn least_role_follows_security_without_a_stated_role() {
        let least = |security: Value, role: Value| {
            let operation = json!({ "responses": {}, "security": security, "x-required-role": role });
            read::<Operation>(&operation).unwrap().least_role()
        };
        assert_eq!(least(json!([]), Value::Null), Role::Anonymous);
        assert_eq!(least(json!([{ "bearer": [] }]), Value::Null), Role::Viewer);
        assert_eq!(least(json!([{ "bearer": [] }]), json!("admin")), Role::Admin);
    }
}
