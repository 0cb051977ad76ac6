//! Which permission an operation requires, as its first argument states it.

use domain::access::{PERMISSIONS, PermissionEntry, Requirement};
use serde_json::Value;

/// What an operation states in place of a permission if it needs no token.
pub const PUBLIC: &str = "public";

/// What an operation requires of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    Permission(&'static PermissionEntry),
}

impl Access {
    /// Reads the security of an operation as poem-openapi writes it: the name of one permission.
    pub fn stated(operation: &Value) -> Option<Self> {
        let [scheme] = operation["security"].as_array()?.as_slice() else { return None };
        Self::named(scheme.as_object()?.keys().next()?)
    }

    /// Reads the access of an operation in the finished document.
    pub fn of(operation: &Value) -> Option<Self> {
        match operation["x-permission"].as_str() {
            Some(name) => Self::named(name),
            None => operation["security"].as_array()?.is_empty().then_some(Self::Public),
        }
    }

    fn named(name: &str) -> Option<Self> {
        if name == PUBLIC {
            return Some(Self::Public);
        }
        PERMISSIONS.iter().find(|entry| entry.name == name).map(Self::Permission)
    }

    /// The sentence that an operation's description ends with.
    pub fn sentence(self) -> String {
        match self {
            Self::Public => "No token is needed.".to_owned(),
            Self::Permission(PermissionEntry { requirement: Requirement::Session, .. }) => {
                "Requires a token, of whatever role; also works while the password has to be changed.".to_owned()
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
        assert!(matches!(stated(json!([{ "students:read": [] }])), Some(Access::Permission(_))));
        for wrong in
            [json!(null), json!([]), json!([{ "bearer": [] }]), json!([{ "public": [] }, { "users:read": [] }])]
        {
            assert_eq!(stated(wrong.clone()), None, "{wrong}");
        }
    }
}
