//! Permission as a type: a use case that needs a role takes a proof, and only a [`Principal`] gives one.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Role, User};
use crate::{Actor, Origin, Who};

/// Somebody whose identity is settled, and where the request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    caller: Caller,
    role: Role,
    password_change_due: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Caller {
    who: Who,
    origin: Origin,
}

impl Caller {
    fn at(&self, at: OffsetDateTime) -> Actor {
        Actor { who: self.who, at, origin: self.origin.clone() }
    }
}

/// Why a principal may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("needs the role {needs}, and the role here is {has}")]
    RoleTooLow { needs: Role, has: Role },
    #[error("waits until the password is changed")]
    PasswordChangeDue,
}

impl Principal {
    /// A user, who asks from somewhere.
    #[must_use]
    pub const fn of(user: &User, origin: Origin) -> Self {
        let caller = Caller { who: Who::User(user.id), origin };
        Self { caller, role: user.role, password_change_due: user.password_change_due }
    }

    /// The person at the machine's own command line, who could edit the store by hand: an administrator.
    #[must_use]
    pub const fn operator() -> Self {
        let caller = Caller { who: Who::Operator, origin: Origin { request_id: None, client: None } };
        Self { caller, role: Role::Admin, password_change_due: false }
    }

    /// Who does something that needs no role, and when.
    #[must_use]
    pub fn at(&self, at: OffsetDateTime) -> Actor {
        self.caller.at(at)
    }

    /// # Errors
    /// [`Forbidden`] unless this is a viewer or more.
    pub fn reader(&self) -> Result<Reader, Forbidden> {
        self.needs(Role::Viewer).map(|()| Reader(()))
    }

    /// # Errors
    /// [`Forbidden`] unless this is a registrar or more.
    pub fn registrar(&self) -> Result<Registrar, Forbidden> {
        self.needs(Role::Registrar).map(|()| Registrar(self.caller.clone()))
    }

    /// # Errors
    /// [`Forbidden`] unless this is an administrator.
    pub fn admin(&self) -> Result<Admin, Forbidden> {
        self.needs(Role::Admin).map(|()| Admin(self.caller.clone()))
    }

    /// # Errors
    /// [`Forbidden`] unless the role is `needs` or a higher one, and the password is the user's own.
    pub fn needs(&self, needs: Role) -> Result<(), Forbidden> {
        if self.password_change_due {
            return Err(Forbidden::PasswordChangeDue);
        }
        if self.role >= needs { Ok(()) } else { Err(Forbidden::RoleTooLow { needs, has: self.role }) }
    }
}

/// Proof that somebody may read the roll.
#[derive(Debug)]
pub struct Reader(());

/// Proof that somebody may write the roll.
#[derive(Debug)]
pub struct Registrar(Caller);

/// Proof that somebody may keep the users.
#[derive(Debug)]
pub struct Admin(Caller);

impl Registrar {
    /// Who writes, and when.
    #[must_use]
    pub fn at(&self, at: OffsetDateTime) -> Actor {
        self.0.at(at)
    }
}

impl Admin {
    /// Who writes, and when.
    #[must_use]
    pub fn at(&self, at: OffsetDateTime) -> Actor {
        self.0.at(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, password_change_due: bool) -> Principal {
        Principal { role, password_change_due, ..Principal::operator() }
    }

    #[test]
    fn a_role_gives_its_own_proof_and_the_lesser_ones() {
        for (role, reader, registrar, admin) in
            [(Role::Viewer, true, false, false), (Role::Registrar, true, true, false), (Role::Admin, true, true, true)]
        {
            let principal = principal(role, false);
            assert_eq!(principal.reader().is_ok(), reader, "{role}");
            assert_eq!(principal.registrar().is_ok(), registrar, "{role}");
            assert_eq!(principal.admin().is_ok(), admin, "{role}");
        }
    }

    #[test]
    fn a_refusal_names_both_roles() {
        let refused = principal(Role::Viewer, false).registrar().unwrap_err();
        assert_eq!(refused, Forbidden::RoleTooLow { needs: Role::Registrar, has: Role::Viewer });
    }

    #[test]
    fn req_17_no_role_counts_until_a_password_that_is_not_ones_own_is_changed() {
        let principal = principal(Role::Admin, true);
        assert_eq!(principal.reader().unwrap_err(), Forbidden::PasswordChangeDue);
        assert_eq!(principal.registrar().unwrap_err(), Forbidden::PasswordChangeDue);
        assert_eq!(principal.admin().unwrap_err(), Forbidden::PasswordChangeDue);
    }
}
