//! Permissions as types: a use case takes a proof, and only a [`Principal`] grants one.

use time::OffsetDateTime;

use super::principal::{Caller, OwnCaller};
use super::{Forbidden, Principal, Role};
use crate::{Actor, SessionId, UserId};

/// What a permission requires of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// This role or a higher one, and a password that is the user's own.
    Role(Role),
    /// A session, whatever the role, also while the password has to be changed.
    Session,
}

/// Proof that a principal may do something.
pub trait Permission: Sized + Send + Sync + 'static {
    /// Name in the API document.
    const NAME: &'static str;
    const REQUIREMENT: Requirement;

    /// # Errors
    /// [`Forbidden`] names the requirement that the principal does not meet.
    fn grant(principal: &Principal) -> Result<Self, Forbidden>;

    /// The principal that acts at this time.
    fn at(&self, at: OffsetDateTime) -> Actor;
}

/// One row of the table of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionEntry {
    pub name: &'static str,
    pub requirement: Requirement,
}

/// Declares the proofs and their table. A permission of the group `own` is on what belongs to the caller's session or user,
/// and its proof names both.
macro_rules! permissions {
    (
        any { $($(#[$any_doc:meta])* $any:ident = $any_name:literal, $any_requirement:expr;)+ }
        own { $($(#[$own_doc:meta])* $own:ident = $own_name:literal, $own_requirement:expr;)+ }
    ) => {
        /// Which requirement each permission has: the one table of access.
        pub const PERMISSIONS: &[PermissionEntry] = &[
            $(PermissionEntry { name: $any_name, requirement: $any_requirement },)+
            $(PermissionEntry { name: $own_name, requirement: $own_requirement },)+
        ];
        $(permissions!(@proof $(#[$any_doc])* $any $any_name, $any_requirement, Caller, caller);)+
        $(permissions!(@proof $(#[$own_doc])* $own $own_name, $own_requirement, OwnCaller, own_caller);)+
        $(
            impl $own {
                /// The user who has the permission.
                #[must_use]
                pub const fn user_id(&self) -> UserId {
                    self.0.user_id
                }

                /// The session that the permission is used in.
                #[must_use]
                pub const fn session_id(&self) -> SessionId {
                    self.0.session_id
                }
            }
        )+
    };
    (@proof $(#[$doc:meta])* $permission:ident $name:literal, $requirement:expr, $caller:ident, $take:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $permission($caller);

        impl Permission for $permission {
            const NAME: &'static str = $name;
            const REQUIREMENT: Requirement = $requirement;

            fn grant(principal: &Principal) -> Result<Self, Forbidden> {
                principal.check(Self::REQUIREMENT)?;
                Ok(Self(principal.$take()?))
            }

            fn at(&self, at: OffsetDateTime) -> Actor {
                self.0.at(at)
            }
        }
    };
}

permissions! {
    any {
        /// Read student records.
        StudentsRead = "students:read", Requirement::Role(Role::Viewer);
        /// Create, change and delete student records.
        StudentsWrite = "students:write", Requirement::Role(Role::Registrar);
        /// Read user accounts.
        UsersRead = "users:read", Requirement::Role(Role::Admin);
        /// Create, change and delete user accounts.
        UsersWrite = "users:write", Requirement::Role(Role::Admin);
        /// Read the sessions of any user.
        SessionsRead = "sessions:read", Requirement::Role(Role::Admin);
        /// End the sessions of any user.
        SessionsWrite = "sessions:write", Requirement::Role(Role::Admin);
        /// Read the audit.
        AuditRead = "audit:read", Requirement::Role(Role::Admin);
        /// Remove old events from the audit.
        AuditWrite = "audit:write", Requirement::Role(Role::Admin);
    }
    own {
        /// Read one's own user account.
        OwnProfileRead = "own-profile:read", Requirement::Role(Role::Viewer);
        /// Read one's own sessions.
        OwnSessionsRead = "own-sessions:read", Requirement::Role(Role::Viewer);
        /// End one's own sessions.
        OwnSessionsWrite = "own-sessions:write", Requirement::Role(Role::Viewer);
        /// Change one's own password.
        OwnPasswordWrite = "own-password:write", Requirement::Session;
        /// End the session in use.
        LogOut = "own-session:end", Requirement::Session;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    fn principal(role: Role, password_change_due: bool) -> Principal {
        let (user, session) = (7.try_into().unwrap(), 3.try_into().unwrap());
        Principal::user(user, role, password_change_due, session, Origin::default())
    }

    #[test]
    fn role_grants_its_permissions_and_those_of_lesser_roles() {
        for (role, read, write, users) in
            [(Role::Viewer, true, false, false), (Role::Registrar, true, true, false), (Role::Admin, true, true, true)]
        {
            let principal = principal(role, false);
            assert_eq!(principal.grant::<StudentsRead>().is_ok(), read, "{role}");
            assert_eq!(principal.grant::<StudentsWrite>().is_ok(), write, "{role}");
            assert_eq!(principal.grant::<UsersWrite>().is_ok(), users, "{role}");
            assert!(principal.grant::<LogOut>().is_ok(), "{role}");
        }
    }

    #[test]
    fn refusal_names_both_roles() {
        let refused = principal(Role::Viewer, false).grant::<StudentsWrite>().unwrap_err();
        assert_eq!(refused, Forbidden::RoleTooLow { needs: Role::Registrar, has: Role::Viewer });
    }

    /// REQ 17.
    #[test]
    fn due_password_change_leaves_only_session_permissions() {
        let principal = principal(Role::Admin, true);
        assert_eq!(principal.grant::<StudentsRead>().unwrap_err(), Forbidden::PasswordChangeDue);
        assert_eq!(principal.grant::<UsersWrite>().unwrap_err(), Forbidden::PasswordChangeDue);
        assert_eq!(principal.grant::<OwnProfileRead>().unwrap_err(), Forbidden::PasswordChangeDue);
        assert!(principal.grant::<OwnPasswordWrite>().is_ok());
        assert!(principal.grant::<LogOut>().is_ok());
    }

    #[test]
    fn operator_has_no_session_of_its_own() {
        assert!(Principal::operator().grant::<UsersWrite>().is_ok());
        assert_eq!(Principal::operator().grant::<OwnSessionsRead>().unwrap_err(), Forbidden::NoSession);
    }

    #[test]
    fn permission_names_are_unique() {
        let names: std::collections::BTreeSet<_> = PERMISSIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), PERMISSIONS.len());
    }
}
