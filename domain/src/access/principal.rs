//! The principal: the authenticated party behind a call, and where the call came from.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Permission, Requirement, Role};
use crate::{Actor, Origin, SessionId, UserId, Who};

/// An authenticated party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    caller: Caller,
    role: Role,
    password_change_due: bool,
    /// Of a user; the operator has none.
    session: Option<(UserId, SessionId)>,
}

/// The party as audit events name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    who: Who,
    origin: Origin,
}

/// A caller whose user and session are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnCaller {
    caller: Caller,
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
}

impl Caller {
    pub(super) fn at(&self, at: OffsetDateTime) -> Actor {
        Actor { who: self.who, at, origin: self.origin.clone() }
    }
}

impl OwnCaller {
    pub(super) fn at(&self, at: OffsetDateTime) -> Actor {
        self.caller.at(at)
    }
}

/// Why a principal lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("needs the role {needs}, and the role here is {has}")]
    RoleTooLow { needs: Role, has: Role },
    #[error("waits until the password is changed")]
    PasswordChangeDue,
    /// The operator at the command line has no session.
    #[error("needs a session")]
    NoSession,
}

impl Principal {
    /// A user in a session.
    #[must_use]
    pub const fn user(id: UserId, role: Role, password_change_due: bool, session: SessionId, origin: Origin) -> Self {
        let caller = Caller { who: Who::User(id), origin };
        Self { caller, role, password_change_due, session: Some((id, session)) }
    }

    /// The person at the machine's command line, who could edit the store by hand: an administrator.
    #[must_use]
    pub const fn operator() -> Self {
        let caller = Caller { who: Who::Operator, origin: Origin { request_id: None, client: None } };
        Self { caller, role: Role::Admin, password_change_due: false, session: None }
    }

    /// The principal that acts at this time, in a way that needs no permission.
    #[must_use]
    pub fn at(&self, at: OffsetDateTime) -> Actor {
        self.caller.at(at)
    }

    /// A proof of permission.
    ///
    /// # Errors
    /// [`Forbidden`]
    pub fn grant<P: Permission>(&self) -> Result<P, Forbidden> {
        P::grant(self)
    }

    /// Whether the principal meets a requirement.
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

    #[expect(clippy::unnecessary_wraps, reason = "own_caller, its like for other permissions, can fail")]
    pub(super) fn caller(&self) -> Result<Caller, Forbidden> {
        Ok(self.caller.clone())
    }

    pub(super) fn own_caller(&self) -> Result<OwnCaller, Forbidden> {
        let (user_id, session_id) = self.session.ok_or(Forbidden::NoSession)?;
        Ok(OwnCaller { caller: self.caller.clone(), user_id, session_id })
    }
}
