//! openapi.yaml, read for what a request and its answer need.

use std::fs;

use serde_json::{Map, Value};

use crate::failure::{Result, Settle};
use crate::workspace::root;

const FILE: &str = "openapi.yaml";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document, whole.
pub struct Document(Value);

/// One operation of it.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    document: &'a Document,
    pub path: &'a str,
    pub method: &'a str,
    value: &'a Value,
}

impl Document {
    /// The one that is checked in.
    pub fn read() -> Result<Self> {
        let text = fs::read_to_string(root().join(FILE)).or_fail(FILE)?;
        yaml_serde::from_str(&text).map(Self).or_fail(FILE)
    }

    #[cfg(test)]
    pub fn of(document: Value) -> Self {
        Self(document)
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Name and description of each tag, in their order.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.0["tags"].as_array().into_iter().flatten();
        tags.map(|tag| (text(tag, "name"), text(tag, "description")))
    }

    /// The operations, in their order.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |entry| (path, entry)));
        all.filter(|(_, (method, _))| METHODS.contains(&method.as_str()))
            .map(|(path, (method, value))| Operation { document: self, path, method, value })
            .collect()
    }

    pub fn operation(&self, id: &str) -> Option<Operation<'_>> {
        self.operations().into_iter().find(|operation| operation.id() == id)
    }

    /// What a reference points at; anything else is itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut found = value;
        while let Some(reference) = found.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
            found = target.unwrap_or(&Value::Null);
        }
        found
    }

    /// The example of a parameter or of a media type: its own, the first of its named ones, or its schema's.
    fn example<'a>(&'a self, holder: &'a Value) -> Option<&'a Value> {
        if let Some(example) = holder.get("example") {
            return Some(example);
        }
        let mut named = holder.get("examples").and_then(Value::as_object).into_iter().flatten();
        if let Some((_, example)) = named.next() {
            return self.resolve(example).get("value");
        }
        self.resolve(holder.get("schema")?).get("example")
    }
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        text(self.value, "operationId")
    }

    pub fn summary(&self) -> &'a str {
        text(self.value, "summary")
    }

    pub fn description(&self) -> &'a str {
        text(self.value, "description")
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        self.value["tags"].as_array().is_some_and(|tags| tags.iter().any(|own| own == tag))
    }

    /// Whether it wants a token.
    pub fn is_secured(&self) -> bool {
        let security = self.value.get("security").or_else(|| self.document.0.get("security"));
        security.and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty())
    }

    /// Its parameters, and its path's.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> {
        let shared = self.document.0["paths"][self.path]["parameters"].as_array();
        let own = self.value["parameters"].as_array();
        let document = self.document;
        shared.into_iter().chain(own).flatten().map(move |parameter| {
            let parameter = document.resolve(parameter);
            Parameter {
                name: text(parameter, "name"),
                place: text(parameter, "in"),
                description: text(parameter, "description"),
                example: document.example(parameter),
            }
        })
    }

    /// The media type of its request's body, and its example.
    pub fn body(&self) -> Option<(&'a str, &'a Value)> {
        let body = self.document.resolve(self.value.get("requestBody")?);
        let (media_type, content) = body["content"].as_object()?.iter().next()?;
        Some((media_type, self.document.example(content)?))
    }

    /// The first of its answers that are a success.
    pub fn success(&self) -> Option<u16> {
        let statuses = self.value["responses"].as_object()?.keys().filter_map(|status| status.parse().ok());
        statuses.filter(|status| (200..300).contains(status)).min()
    }

    /// Its answer with this status.
    pub fn answer(&self, status: u16) -> Option<Answer<'a>> {
        let response = self.value["responses"].get(status.to_string())?;
        Some(Answer { document: self.document, response: self.document.resolve(response) })
    }
}

/// A parameter of an operation.
pub struct Parameter<'a> {
    pub name: &'a str,
    /// `path`, `query` or `header`.
    pub place: &'a str,
    pub description: &'a str,
    pub example: Option<&'a Value>,
}

/// What an operation may answer.
pub struct Answer<'a> {
    pub document: &'a Document,
    response: &'a Value,
}

impl<'a> Answer<'a> {
    /// Its media types, each with its schema; none where it has no body.
    pub fn contents(&self) -> Vec<(&'a str, &'a Value)> {
        entries(self.response, "content").map(|(name, content)| (name.as_str(), &content["schema"])).collect()
    }

    /// The names of the headers that are always there, each with its schema.
    pub fn required_headers(&self) -> Vec<(&'a str, &'a Value)> {
        entries(self.response, "headers")
            .map(|(name, header)| (name.as_str(), self.document.resolve(header)))
            .filter(|(_, header)| header["required"] == true)
            .map(|(name, header)| (name, &header["schema"]))
            .collect()
    }
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_example_is_its_own_or_the_first_named_one_or_the_schemas() {
        let document = Document(json!({ "components": {
            "examples": { "asha": { "value": { "name": "Asha" } } },
            "schemas": { "Student": { "example": { "name": "Meera" } } },
        } }));
        let schema = json!({ "$ref": "#/components/schemas/Student" });
        let named = json!({ "asha": { "$ref": "#/components/examples/asha" }, "other": { "value": 1 } });
        let name = |holder| document.example(&holder).map(|example| example["name"].clone());
        assert_eq!(name(json!({ "example": { "name": "Tara" }, "schema": schema })), Some(json!("Tara")));
        assert_eq!(name(json!({ "examples": named, "schema": schema })), Some(json!("Asha")));
        assert_eq!(name(json!({ "schema": schema })), Some(json!("Meera")));
        assert_eq!(name(json!({ "schema": {} })), None);
    }
}
