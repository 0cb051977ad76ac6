//! The one table of who may do what. The gate enforces it, the document tells it, and the tests try every cell.

use domain::user::Role;

/// Who may do an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks, without a token.
    Anybody,
    /// Users with this role or a higher one.
    Role(Role),
}

/// One row for each operation, by its operation id. An operation without a row is nobody's.
pub const ACCESS: [(&str, Access); 22] = [
    ("logIn", Access::Anybody),
    ("getMe", Access::Role(Role::Viewer)),
    ("listStudents", Access::Role(Role::Viewer)),
    ("enrolStudent", Access::Role(Role::Registrar)),
    ("getStudent", Access::Role(Role::Viewer)),
    ("replaceStudent", Access::Role(Role::Registrar)),
    ("patchStudent", Access::Role(Role::Registrar)),
    ("removeStudent", Access::Role(Role::Registrar)),
    ("listUsers", Access::Role(Role::Admin)),
    ("createUser", Access::Role(Role::Admin)),
    ("getUser", Access::Role(Role::Admin)),
    ("patchUser", Access::Role(Role::Admin)),
    ("removeUser", Access::Role(Role::Admin)),
    ("readArticleRoll", Access::Role(Role::Viewer)),
    ("enrolArticleStudent", Access::Role(Role::Registrar)),
    ("changeArticleStudent", Access::Role(Role::Registrar)),
    ("removeArticleStudent", Access::Role(Role::Registrar)),
    ("getLiveness", Access::Anybody),
    ("getReadiness", Access::Anybody),
    ("getOpenApiJson", Access::Anybody),
    ("getOpenApiYaml", Access::Anybody),
    ("getKeySet", Access::Anybody),
];

impl Access {
    /// The row of an operation.
    pub fn of(operation_id: &str) -> Option<Self> {
        ACCESS.iter().find(|(id, _)| *id == operation_id).map(|(_, access)| *access)
    }

    /// The sentence that an operation's description ends with.
    pub fn sentence(self) -> String {
        match self {
            Self::Anybody => "No token is needed.".to_owned(),
            Self::Role(role) => format!("Needs the role {role}."),
        }
    }
}
