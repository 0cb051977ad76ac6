//! Permission that an operation requires. The type of its first argument declares it.

use domain::access::{PERMISSIONS, PermissionEntry, Requirement};
use serde_json::Value;

/// Declared by operations that require no token, in place of a permission.
pub const PUBLIC: &str = "public";
/// As [`PUBLIC`], for operations that do not count against a quota.
pub const UNMETERED: &str = "unmetered";

/// Access requirement of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token required.
    Public,
    /// No token required, and not counted against a quota.
    Unmetered,
    Permission(&'static PermissionEntry),
}

impl Access {
    /// Parses the `security` of an operation as poem-openapi writes it: the name of one permission.
    pub fn stated(operation: &Value) -> Option<Self> {
        let [scheme] = operation["security"].as_array()?.as_slice() else { return None };
        Self::named(scheme.as_object()?.keys().next()?)
    }

    /// Parses the access requirement of an operation in the finished document.
    pub fn of(operation: &Value) -> Option<Self> {
        if let Some(name) = operation["x-permission"].as_str() {
            return Self::named(name);
        }
        let is_metered = operation["responses"].get("429").is_some();
        let public = if is_metered { Self::Public } else { Self::Unmetered };
        operation["security"].as_array()?.is_empty().then_some(public)
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            PUBLIC => Some(Self::Public),
            UNMETERED => Some(Self::Unmetered),
            _ => PERMISSIONS.iter().find(|entry| entry.name == name).map(Self::Permission),
        }
    }

    /// Whether an operation requires no token.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Unmetered)
    }

    /// Last sentence of the operation's description.
    pub fn sentence(self) -> String {
        match self {
            Self::Public => "Requires no token.".to_owned(),
            Self::Unmetered => "Requires no token, and is not rate limited.".to_owned(),
            Self::Permission(PermissionEntry { requirement: Requirement::Session, .. }) => {
                "Requires a token; any role is sufficient. Also allowed while a password change is due.".to_owned()
            }
            Self::Permission(PermissionEntry { requirement: Requirement::Role(role), .. }) => {
                format!("Requires the role {role}.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operation_states_exactly_one_permission() {
        let stated = |security: Value| Access::stated(&json!({ "security": security }));
        assert_eq!(stated(json!([{ "public": [] }])), Some(Access::Public));
        assert_eq!(stated(json!([{ "unmetered": [] }])), Some(Access::Unmetered));
        assert!(matches!(stated(json!([{ "students:read": [] }])), Some(Access::Permission(_))));
        for wrong in
            [json!(null), json!([]), json!([{ "bearer": [] }]), json!([{ "public": [] }, { "users:read": [] }])]
        {
            assert_eq!(stated(wrong.clone()), None, "{wrong}");
        }
    }
}
