//! A user, and what is kept with one.

use std::str::FromStr;

use thiserror::Error;
use time::OffsetDateTime;

use super::{Attempts, PasswordHash, Username};
use crate::access::{Role, UsersRead, UsersWrite};
use crate::audit::{Action, NewEvent};
use crate::record::{Patch, Record, Resource};
use crate::{Actor, SessionId, Target, UserId, UserKind};

/// Whether a user may log in and be logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
}

/// The text is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be active or disabled")]
pub struct StatusError;

impl Status {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// The status' name, as stores, the wire and the command line spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(StatusError)
    }
}

/// A user account, without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub username: Username,
    pub role: Role,
    pub status: Status,
    /// Whether the password is not the user's own choice: until it is changed, the user can do nothing else.
    pub password_change_due: bool,
}

/// A rule about other users or about sessions that a write breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UserConflict {
    #[error("another user has this name")]
    UsernameTaken,
    #[error("this is the last active administrator; make another one first")]
    LastAdministrator,
    /// The session in which a change was requested, [`SetPassword::spared`], has ended meanwhile.
    #[error("the session has ended")]
    SessionEnded,
}

impl Resource for User {
    type Kind = UserKind;
    type New = NewUser;
    type Patch = UserChange;
    type Filter = ();
    type Conflict = UserConflict;
    type Read = UsersRead;
    type Write = UsersWrite;
}

/// A user to be made; active from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub username: Username,
    pub password: PasswordHash,
    pub role: Role,
    /// Whether the password has to be changed before anything else is done.
    pub password_change_due: bool,
}

/// What a login is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    pub user: Record<User>,
    pub password: PasswordHash,
    /// When the password stops being good; `None` for never.
    pub password_expires_at: Option<OffsetDateTime>,
    pub attempts: Attempts,
}

/// A password to be set. Whatever it is, the failed logins before it are forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPassword {
    pub hash: PasswordHash,
    /// Until when it is good, where it is a one-time password, which has to be changed before anything else is done.
    pub one_time_until: Option<OffsetDateTime>,
    /// The one session that goes on, in which the change was asked for; all others of the user end.
    pub spared: Option<SessionId>,
}

/// A change to what is kept about a user: `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    pub password: Option<SetPassword>,
    pub role: Option<Role>,
    pub status: Option<Status>,
}

impl UserChange {
    /// Another password that lasts, and nothing else; every session ends.
    #[must_use]
    pub fn password(hash: PasswordHash) -> Self {
        let password = SetPassword { hash, one_time_until: None, spared: None };
        Self { password: Some(password), ..Self::default() }
    }

    /// Another role, and nothing else.
    #[must_use]
    pub fn role(role: Role) -> Self {
        Self { role: Some(role), ..Self::default() }
    }

    /// Another status, and nothing else.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Whether a user who is changed so is no active administrator afterwards, whatever was before.
    #[must_use]
    pub fn ends_administration(&self) -> bool {
        self.role.is_some_and(|role| role != Role::Admin) || self.status == Some(Status::Disabled)
    }

    /// Whether the user's sessions end with it (ASVS 7.4), but the one that [`SetPassword::spared`] names.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        self.password.is_some() || self.status == Some(Status::Disabled)
    }

    /// The session that goes on all the same.
    #[must_use]
    pub fn spared(&self) -> Option<SessionId> {
        match self.status {
            Some(Status::Disabled) => None,
            _ => self.password.as_ref().and_then(|password| password.spared),
        }
    }

    /// Audit detail of a hash upgrade for the same password.
    #[must_use]
    pub fn hash_upgraded(id: UserId, by: &Actor) -> NewEvent {
        NewEvent::once(by, Action::updated::<UserKind>(), Target::of(id))
            .with_detail(Some("password hashed anew with today's parameters".to_owned()))
    }

    /// Audit detail.
    #[must_use]
    pub fn events(&self, id: UserId, by: &Actor) -> Vec<NewEvent> {
        let event = |action| NewEvent::once(by, action, Target::of(id));
        let detail = self.detail();
        let password = self.password.as_ref().map(|password| match password.one_time_until {
            Some(_) => event(Action::PASSWORD_RESET),
            None => event(Action::PASSWORD_CHANGED),
        });
        let updated =
            (detail.is_some() || password.is_none()).then(|| event(Action::updated::<UserKind>()).with_detail(detail));
        password.into_iter().chain(updated).collect()
    }
}

impl Patch for UserChange {
    /// The new role and status: no secrets, and what an auditor looks for.
    fn detail(&self) -> Option<String> {
        let role = self.role.map(|role| format!("role {role}"));
        let status = self.status.map(|status| format!("status {}", status.as_str()));
        let set: Vec<_> = role.into_iter().chain(status).collect();
        (!set.is_empty()).then(|| set.join(", "))
    }
}
