//! The one table of who may do what. The gate enforces it, the document tells it, and the tests try every cell.

use domain::user::Role;

/// Who may do an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks, without a token.
    Anybody,
    /// Whoever has a good token, also while the password has to be changed.
    Bearer,
    /// Users with this role or a higher one, whose password is their own.
    Role(Role),
}

/// One row for each operation, by its operation id, in the order in which the document tells of them. An operation without
/// a row is nobody's.
pub const ACCESS: [(&str, Access); 33] = [
    ("logIn", Access::Anybody),
    ("refreshToken", Access::Anybody),
    ("getMe", Access::Role(Role::Viewer)),
    ("listOwnSessions", Access::Role(Role::Viewer)),
    ("endOwnSession", Access::Role(Role::Viewer)),
    ("changeOwnPassword", Access::Bearer),
    ("logOut", Access::Bearer),
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
    ("resetUserPassword", Access::Role(Role::Admin)),
    ("unlockUser", Access::Role(Role::Admin)),
    ("listUserSessions", Access::Role(Role::Admin)),
    ("endUserSessions", Access::Role(Role::Admin)),
    ("listAuditEvents", Access::Role(Role::Admin)),
    ("getLiveness", Access::Anybody),
    ("getReadiness", Access::Anybody),
    ("getOpenApiYaml", Access::Anybody),
    ("getOpenApiJson", Access::Anybody),
    ("getOpenApi31Yaml", Access::Anybody),
    ("getKeySet", Access::Anybody),
    ("readArticleRoll", Access::Role(Role::Viewer)),
    ("enrolArticleStudent", Access::Role(Role::Registrar)),
    ("changeArticleStudent", Access::Role(Role::Registrar)),
    ("removeArticleStudent", Access::Role(Role::Registrar)),
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
            Self::Bearer => {
                "Needs a token, of whatever role; works also while the password has to be changed.".to_owned()
            }
            Self::Role(role) => format!("Needs the role {role}."),
        }
    }
}
