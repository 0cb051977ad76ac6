//! Permissions as types: a use case requires a proof, which only a [`Principal`] grants.

use time::OffsetDateTime;

use super::principal::{Caller, OwnCaller};
use super::{Forbidden, Principal, Role};
use crate::{Actor, SessionId, UserId};

/// Requirement of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// This role or a higher one, and no due password change.
    Role(Role),
    /// A session with any role, also while a password change is due.
    Session,
}

/// Proof that a principal has a permission.
pub trait Permission: Sized + Send + Sync + 'static {
    /// Name in the API document.
    const NAME: &'static str;
    const REQUIREMENT: Requirement;

    /// # Errors
    /// [`Forbidden`], the requirement that the principal does not meet.
    fn grant(principal: &Principal) -> Result<Self, Forbidden>;

    /// Actor for a use of the permission at this time.
    fn at(&self, at: OffsetDateTime) -> Actor;
}

/// One row of the table of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionEntry {
    pub name: &'static str,
    pub requirement: Requirement,
}

/// Declares the proofs and their table. A permission of the group `own` applies to the caller's session or user, and its proof
/// contains both.
macro_rules! permissions {
    (
        any { $($(#[$any_doc:meta])* $any:ident = $any_name:literal, $any_requirement:expr;)+ }
        own { $($(#[$own_doc:meta])* $own:ident = $own_name:literal, $own_requirement:expr;)+ }
    ) => {
        /// Every permission with its requirement.
        pub const PERMISSIONS: &[PermissionEntry] = &[
            $(PermissionEntry { name: $any_name, requirement: $any_requirement },)+
            $(PermissionEntry { name: $own_name, requirement: $own_requirement },)+
        ];
        $(permissions!(@proof $(#[$any_doc])* $any $any_name, $any_requirement, Caller, caller);)+
        $(permissions!(@proof $(#[$own_doc])* $own $own_name, $own_requirement, OwnCaller, own_caller);)+
        $(
            impl $own {
                /// User of the caller.
                #[must_use]
                pub const fn user_id(&self) -> UserId {
                    self.0.user_id
                }

                /// Session of the caller.
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
        /// Read the audit log.
        AuditRead = "audit:read", Requirement::Role(Role::Admin);
        /// Delete old events from the audit log.
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
        /// End the current session.
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
    fn role_includes_permissions_of_lower_roles() {
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
    fn missing_permission_reports_both_roles() {
        let error = principal(Role::Viewer, false).grant::<StudentsWrite>().unwrap_err();
        assert_eq!(error, Forbidden::RoleTooLow { needs: Role::Registrar, has: Role::Viewer });
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
    fn operator_has_no_session() {
        assert!(Principal::operator().grant::<UsersWrite>().is_ok());
        assert_eq!(Principal::operator().grant::<OwnSessionsRead>().unwrap_err(), Forbidden::NoSession);
    }

    #[test]
    fn permission_names_are_unique() {
        let names: std::collections::BTreeSet<_> = PERMISSIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), PERMISSIONS.len());
    }
}
