//! Principals: authenticated callers and their permissions.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Permission, Requirement, Role};
use crate::{Actor, ActorId, Origin, SessionId, UserId};

/// An authenticated caller: a user in a session, or the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    caller: Caller,
    role: Role,
    password_change_due: bool,
    /// `None` for the operator.
    session: Option<(UserId, SessionId)>,
}

/// The caller as recorded in audit events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    id: ActorId,
    origin: Origin,
}

/// A caller with a user and a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnCaller {
    caller: Caller,
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
}

impl Caller {
    pub(super) fn at(&self, at: OffsetDateTime) -> Actor {
        Actor { id: self.id, at, origin: self.origin.clone() }
    }
}

impl OwnCaller {
    pub(super) fn at(&self, at: OffsetDateTime) -> Actor {
        self.caller.at(at)
    }
}

/// Reason why a principal lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("requires the role {needs}; the caller has the role {has}")]
    RoleTooLow { needs: Role, has: Role },
    #[error("requires a password change first")]
    PasswordChangeDue,
    /// The operator at the command line has no session.
    #[error("requires a session")]
    NoSession,
}

impl Principal {
    /// A user in a session.
    #[must_use]
    pub const fn user(id: UserId, role: Role, password_change_due: bool, session: SessionId, origin: Origin) -> Self {
        let caller = Caller { id: ActorId::User(id), origin };
        Self { caller, role, password_change_due, session: Some((id, session)) }
    }

    /// The operator at the command line, who has direct access to the store and so the role of an administrator.
    #[must_use]
    pub const fn operator() -> Self {
        let caller = Caller { id: ActorId::Operator, origin: Origin { request_id: None, client: None } };
        Self { caller, role: Role::Admin, password_change_due: false, session: None }
    }

    /// Actor for an action at this time that requires no permission.
    #[must_use]
    pub fn at(&self, at: OffsetDateTime) -> Actor {
        self.caller.at(at)
    }

    /// Grants a proof of the permission.
    ///
    /// # Errors
    /// [`Forbidden`]
    pub fn grant<P: Permission>(&self) -> Result<P, Forbidden> {
        P::grant(self)
    }

    /// Checks that the principal meets a requirement.
    ///
    /// # Errors
    /// [`Forbidden`]
    pub fn check(&self, requirement: Requirement) -> Result<(), Forbidden> {
        match requirement {
            Requirement::Role(_) if self.password_change_due => Err(Forbidden::PasswordChangeDue),
            Requirement::Role(needs) if self.role < needs => Err(Forbidden::RoleTooLow { needs, has: self.role }),
            Requirement::Role(_) | Requirement::Session => Ok(()),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "same signature as own_caller, which can fail")]
    pub(super) fn caller(&self) -> Result<Caller, Forbidden> {
        Ok(self.caller.clone())
    }

    pub(super) fn own_caller(&self) -> Result<OwnCaller, Forbidden> {
        let (user_id, session_id) = self.session.ok_or(Forbidden::NoSession)?;
        Ok(OwnCaller { caller: self.caller.clone(), user_id, session_id })
    }
}
