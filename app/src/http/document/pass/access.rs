//! The permission of each operation: in its description, its security requirement and its extensions.

use domain::access::Requirement;
use serde_json::{Value, json};

use super::DocumentError;
use crate::http::access::Access;
use crate::http::request::SCHEME;

/// Replaces the permission's name, which poem-openapi writes as a security scheme, by the actual requirement.
///
/// # Errors
/// [`DocumentError::NoPermission`]
pub fn complete(operation: &mut Value) -> Result<Access, DocumentError> {
    let id = operation["operationId"].as_str().unwrap_or("without an id").to_owned();
    let access = Access::stated(operation).ok_or(DocumentError::NoPermission(id))?;
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = json!(format!("{description}\n\n{}", access.sentence()));
    match access {
        // Explicit, because an absent requirement may be a mistake.
        Access::Public | Access::Unmetered => operation["security"] = json!([]),
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

    use super::super::{DocumentError, complete};

    struct Unprotected;

    #[expect(clippy::unused_async, reason = "poem-openapi supports async operations only")]
    #[OpenApi]
    impl Unprotected {
        #[oai(path = "/secrets", method = "get", operation_id = "getSecrets")]
        async fn get(&self) {}
    }

    #[test]
    fn operation_without_permission_argument_is_an_error() {
        let document = serde_json::from_str(&OpenApiService::new(Unprotected, "", "").spec()).unwrap();
        assert_eq!(complete(document), Err(DocumentError::NoPermission("getSecrets".to_owned())));
    }
}
