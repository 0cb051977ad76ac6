//! What the document promises to whom.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Role;
use crate::failure::{Result, Settle};

/// The operations, each with the least role that may do it, in the document's order.
#[derive(Debug, Default)]
pub struct Promises(Vec<(String, Role)>);

impl Promises {
    /// Reads them from a document in JSON.
    pub fn read(document: &Path) -> Result<Self> {
        let text = fs::read(document).or_fail(document.display())?;
        Ok(Self::in_document(&serde_json::from_slice(&text).or_fail(document.display())?))
    }

    fn in_document(document: &Value) -> Self {
        let mut promises = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation.get("responses").is_some() {
                    promises.push((format!("{} {path}", method.to_ascii_uppercase()), least(operation)));
                }
            }
        }
        Self(promises)
    }

    /// Every operation, as `GET /students`.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(operation, _)| operation.as_str())
    }

    /// Those that this role may do.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, least)| role >= *least).map(|(operation, _)| operation.as_str())
    }

    /// Whether this role may do that.
    pub fn lets(&self, role: Role, operation: &str) -> bool {
        self.of(role).any(|allowed| allowed == operation)
    }
}

/// Without `x-required-role` any token will do, and where `security` is empty, none is needed.
fn least(operation: &Value) -> Role {
    match (operation["x-required-role"].as_str(), &operation["security"]) {
        (Some("admin"), _) => Role::Admin,
        (Some("registrar"), _) => Role::Registrar,
        (None, Value::Array(security)) if security.is_empty() => Role::Anonymous,
        _ => Role::Viewer,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_may_do_what_lesser_ones_may() {
        let document = json!({ "paths": {
            "/login": { "post": { "responses": {}, "security": [] } },
            "/logout": { "post": { "responses": {} } },
            "/students": { "get": { "responses": {}, "x-required-role": "viewer" },
                           "post": { "responses": {}, "x-required-role": "registrar" } },
            "/users": { "get": { "responses": {}, "x-required-role": "admin" } },
        }});
        let promises = Promises::in_document(&document);
        let of = |role| promises.of(role).collect::<Vec<_>>();
        assert_eq!(of(Role::Anonymous), ["POST /login"]);
        assert_eq!(of(Role::Viewer), ["POST /login", "POST /logout", "GET /students"]);
        assert_eq!(of(Role::Registrar).len(), 4);
        assert_eq!(of(Role::Admin).len(), 5);
        assert!(promises.lets(Role::Admin, "GET /users") && !promises.lets(Role::Registrar, "GET /users"));
    }
}
