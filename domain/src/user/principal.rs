//! Permission as a type: a use case that needs a role takes a proof, and only a [`Principal`] gives one.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Role, User};
use crate::{Actor, Who};

/// Somebody whose identity is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    who: Who,
    role: Role,
}

/// The principal's role does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("needs the role {needs}, and the role here is {has}")]
pub struct RoleTooLow {
    pub needs: Role,
    pub has: Role,
}

impl Principal {
    /// The person at the machine's own command line, who could edit the store by hand: an administrator.
    #[must_use]
    pub const fn operator() -> Self {
        Self { who: Who::Operator, role: Role::Admin }
    }

    /// # Errors
    /// [`RoleTooLow`] unless this is a viewer or more.
    pub fn reader(&self) -> Result<Reader, RoleTooLow> {
        self.needs(Role::Viewer).map(|()| Reader(()))
    }

    /// # Errors
    /// [`RoleTooLow`] unless this is a registrar or more.
    pub fn registrar(&self) -> Result<Registrar, RoleTooLow> {
        self.needs(Role::Registrar).map(|()| Registrar(self.who))
    }

    /// # Errors
    /// [`RoleTooLow`] unless this is an administrator.
    pub fn admin(&self) -> Result<Admin, RoleTooLow> {
        self.needs(Role::Admin).map(|()| Admin(self.who))
    }

    /// # Errors
    /// [`RoleTooLow`] unless the role is `needs` or a higher one.
    pub fn needs(&self, needs: Role) -> Result<(), RoleTooLow> {
        if self.role >= needs { Ok(()) } else { Err(RoleTooLow { needs, has: self.role }) }
    }
}

impl From<&User> for Principal {
    fn from(user: &User) -> Self {
        Self { who: Who::User(user.id), role: user.role }
    }
}

/// Proof that somebody may read the roll.
#[derive(Debug)]
pub struct Reader(());

/// Proof that somebody may write the roll.
#[derive(Debug)]
pub struct Registrar(Who);

/// Proof that somebody may keep the users.
#[derive(Debug)]
pub struct Admin(Who);

impl Registrar {
    /// Who writes, and when.
    #[must_use]
    pub const fn at(&self, at: OffsetDateTime) -> Actor {
        Actor { who: self.0, at }
    }
}

impl Admin {
    /// Who writes, and when.
    #[must_use]
    pub const fn at(&self, at: OffsetDateTime) -> Actor {
        Actor { who: self.0, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_gives_its_own_proof_and_the_lesser_ones() {
        for (role, reader, registrar, admin) in
            [(Role::Viewer, true, false, false), (Role::Registrar, true, true, false), (Role::Admin, true, true, true)]
        {
            let principal = Principal { who: Who::Operator, role };
            assert_eq!(principal.reader().is_ok(), reader, "{role}");
            assert_eq!(principal.registrar().is_ok(), registrar, "{role}");
            assert_eq!(principal.admin().is_ok(), admin, "{role}");
        }
    }

    #[test]
    fn a_refusal_names_both_roles() {
        let viewer = Principal { who: Who::Operator, role: Role::Viewer };
        assert_eq!(viewer.registrar().unwrap_err(), RoleTooLow { needs: Role::Registrar, has: Role::Viewer });
    }
}
