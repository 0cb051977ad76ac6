//! The permission of each operation, for people, for programs and for the gate.

use domain::access::Requirement;
use serde_json::{Value, json};

use super::DocumentError;
use crate::http::access::Access;
use crate::http::request::SCHEME;

/// Replaces the permission's name, which poem-openapi takes for a security scheme, by what it means.
///
/// # Errors
/// [`DocumentError::NoPermission`]
pub fn complete(operation: &mut Value) -> Result<Access, DocumentError> {
    let id = operation["operationId"].as_str().unwrap_or("without an id").to_owned();
    let access = Access::stated(operation).ok_or(DocumentError::NoPermission(id))?;
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = json!(format!("{description}\n\n{}", access.sentence()));
    match access {
        // Explicit, for readers who would otherwise take it for forgotten.
        Access::Public => operation["security"] = json!([]),
        Access::Permission(entry) => {
            operation["security"] = json!([{ SCHEME: [] }]);
            operation["x-permission"] = json!(entry.name);
            if let Requirement::Role(role) = entry.requirement {
                operation["x-required-role"] = json!(role.as_str());
            }
        }
    }
    Ok(access)
}

#[cfg(test)]
mod tests {
    use poem_openapi::{OpenApi, OpenApiService};

    use super::super::{DocumentError, completed};

    struct Careless;

    #[expect(clippy::unused_async, reason = "poem-openapi takes async operations only")]
    #[OpenApi]
    impl Careless {
        #[oai(path = "/secrets", method = "get", operation_id = "getSecrets")]
        async fn get(&self) {}
    }

    #[test]
    fn operation_without_permission_argument_is_an_error() {
        let document = serde_json::from_str(&OpenApiService::new(Careless, "", "").spec()).unwrap();
        assert_eq!(completed(document), Err(DocumentError::NoPermission("getSecrets".to_owned())));
    }
}
