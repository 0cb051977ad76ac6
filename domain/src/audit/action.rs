//! What can be done that the audit tells of.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Something that was done, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    StudentEnrolled,
    StudentChanged,
    StudentRemoved,
    UserCreated,
    UserChanged,
    UserRemoved,
    /// A new password that is its user's own choice, or an operator's.
    PasswordChanged,
    /// A one-time password.
    PasswordReset,
    /// Too many wrong passwords.
    UserLocked,
    UserUnlocked,
    SessionOpened,
    SessionRefreshed,
    SessionEnded,
    /// A used refresh token was shown again, after its time of grace: its session ended.
    SessionReplayed,
    /// Sessions that nobody refreshed in time were cleared away.
    SessionsExpired,
    /// A login was refused.
    LoginRefused,
    /// An operation was refused to somebody whose role does not reach.
    AccessRefused,
    KeyGenerated,
    KeyRotated,
    KeyRetired,
    KeyRevoked,
    /// Events older than a time were removed, by an operator.
    AuditPruned,
}

/// The text is no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an action of the audit, such as user.created")]
pub struct ActionError;

impl Action {
    /// Every action.
    pub const ALL: [Self; 22] = [
        Self::StudentEnrolled,
        Self::StudentChanged,
        Self::StudentRemoved,
        Self::UserCreated,
        Self::UserChanged,
        Self::UserRemoved,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::UserLocked,
        Self::UserUnlocked,
        Self::SessionOpened,
        Self::SessionRefreshed,
        Self::SessionEnded,
        Self::SessionReplayed,
        Self::SessionsExpired,
        Self::LoginRefused,
        Self::AccessRefused,
        Self::KeyGenerated,
        Self::KeyRotated,
        Self::KeyRetired,
        Self::KeyRevoked,
        Self::AuditPruned,
    ];

    /// The action's name, as stores, the wire and the command line spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StudentEnrolled => "student.enrolled",
            Self::StudentChanged => "student.changed",
            Self::StudentRemoved => "student.removed",
            Self::UserCreated => "user.created",
            Self::UserChanged => "user.changed",
            Self::UserRemoved => "user.removed",
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::UserLocked => "user.locked",
            Self::UserUnlocked => "user.unlocked",
            Self::SessionOpened => "session.opened",
            Self::SessionRefreshed => "session.refreshed",
            Self::SessionEnded => "session.ended",
            Self::SessionReplayed => "session.replayed",
            Self::SessionsExpired => "sessions.expired",
            Self::LoginRefused => "login.refused",
            Self::AccessRefused => "access.refused",
            Self::KeyGenerated => "key.generated",
            Self::KeyRotated => "key.rotated",
            Self::KeyRetired => "key.retired",
            Self::KeyRevoked => "key.revoked",
            Self::AuditPruned => "audit.pruned",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(ActionError)
    }
}
