//! User accounts, their credentials, and their changes.

use std::str::FromStr;

use thiserror::Error;
use time::OffsetDateTime;

use super::{Attempts, NewUsername, PasswordHash, Username};
use crate::access::{Role, UsersRead, UsersWrite};
use crate::audit::{Action, NewEvent};
use crate::record::{Patch, Record, Resource};
use crate::{Actor, Filter, Reach, SessionId, SortKey, SortKeyKind, Target, UserId, UserKind};

/// Status of a user. A disabled user cannot log in and has no sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
}

/// The text is not a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be active or disabled")]
pub struct StatusError;

impl Status {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// Name in stores, on the wire and on the command line.
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
    /// If `true`, the user must change the password before any other operation.
    pub password_change_due: bool,
}

/// Matches the users that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The username is stored under a key of this one: usually at most one is.
    pub username: Option<Username>,
    pub role: Option<Role>,
    pub status: Option<Status>,
}

impl Filter for UserFilter {
    const SORT_KEYS: &'static [SortKey] = &[SortKey { name: "username", kind: SortKeyKind::Text }];

    fn reach(&self) -> Reach {
        if self.username.is_some() { Reach::Row } else { Reach::Page }
    }
}

/// Constraint violated by a write of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UserConflict {
    #[error("another user has this username")]
    UsernameTaken,
    #[error("this is the last active administrator; create another one first")]
    LastAdministrator,
    /// The session of the request, [`SetPassword::kept_session`], has ended.
    #[error("the session has ended")]
    SessionEnded,
}

impl Resource for User {
    type Kind = UserKind;
    type New = NewUser;
    type Patch = UserUpdate;
    type Filter = UserFilter;
    type Conflict = UserConflict;
    type Read = UsersRead;
    type Write = UsersWrite;
}

/// User to be created, with the status active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub username: NewUsername,
    pub password: PasswordHash,
    pub role: Role,
    /// Expiry of a one-time password, which requires a password change; `None` for a regular password.
    pub one_time_until: Option<OffsetDateTime>,
}

/// User with the data that a login requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    pub user: Record<User>,
    pub password: PasswordHash,
    /// Expiry of a one-time password; `None` if the password does not expire.
    pub password_expires_at: Option<OffsetDateTime>,
    pub attempts: Attempts,
}

/// Password to be set. Setting it clears the failed logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPassword {
    pub hash: PasswordHash,
    /// Expiry of a one-time password, which requires a password change; `None` for a regular password.
    pub one_time_until: Option<OffsetDateTime>,
    /// Session of the request, which stays open. All other sessions of the user end.
    pub kept_session: Option<SessionId>,
}

/// Update of a user. `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserUpdate {
    pub password: Option<SetPassword>,
    pub role: Option<Role>,
    pub status: Option<Status>,
}

impl UserUpdate {
    /// Sets a regular password and ends every session.
    #[must_use]
    pub fn password(hash: PasswordHash) -> Self {
        let password = SetPassword { hash, one_time_until: None, kept_session: None };
        Self { password: Some(password), ..Self::default() }
    }

    /// Changes the role only.
    #[must_use]
    pub fn role(role: Role) -> Self {
        Self { role: Some(role), ..Self::default() }
    }

    /// Changes the status only.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Returns `true` if the user is not an active administrator after the update.
    #[must_use]
    pub fn ends_administration(&self) -> bool {
        self.role.is_some_and(|role| role != Role::Admin) || self.status == Some(Status::Disabled)
    }

    /// Returns `true` if the update ends the user's sessions (ASVS 7.4), except [`SetPassword::kept_session`].
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        self.password.is_some() || self.status == Some(Status::Disabled)
    }

    /// Session that stays open.
    #[must_use]
    pub fn kept_session(&self) -> Option<SessionId> {
        match self.status {
            Some(Status::Disabled) => None,
            _ => self.password.as_ref().and_then(|password| password.kept_session),
        }
    }

    /// Audit detail of a hash upgrade for the same password.
    #[must_use]
    pub fn hash_upgraded(id: UserId, by: &Actor) -> NewEvent {
        NewEvent::once(by, Action::updated::<UserKind>(), Target::of(id))
            .with_detail(Some("password rehashed with the current parameters".to_owned()))
    }

    /// Audit events of the update.
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

impl Patch for UserUpdate {
    /// New role and status. Contains no secrets.
    fn detail(&self) -> Option<String> {
        let role = self.role.map(|role| format!("role {role}"));
        let status = self.status.map(|status| format!("status {}", status.as_str()));
        let set: Vec<_> = role.into_iter().chain(status).collect();
        (!set.is_empty()).then(|| set.join(", "))
    }
}
