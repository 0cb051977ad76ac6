//! Actions of audit events.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Kind;

/// Action that was performed or denied, such as `user.locked`. The set is open: a store may contain actions of a later release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Action(Cow<'static, str>);

/// The text is not an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an audit action, such as user.created")]
pub struct ActionError;

/// Declares the actions other than creation, update and deletion of records, and their list.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        impl Action {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($text));)+

            /// Every action other than `KIND.created`, `KIND.updated` and `KIND.deleted`, which each kind of record has.
            pub const OTHERS: &[Self] = &[$(Self::$name,)+];
        }
    };
}

actions! {
    /// The user or an operator set a new password.
    PASSWORD_CHANGED = "password.changed";
    /// A one-time password was set.
    PASSWORD_RESET = "password.reset";
    /// Too many failed logins locked the account.
    USER_LOCKED = "user.locked";
    USER_UNLOCKED = "user.unlocked";
    SESSION_OPENED = "session.opened";
    SESSION_REFRESHED = "session.refreshed";
    SESSION_ENDED = "session.ended";
    /// A used refresh token was presented after its grace period, and the session was ended.
    SESSION_REPLAYED = "session.replayed";
    /// Expired sessions were deleted.
    SESSIONS_EXPIRED = "sessions.expired";
    LOGIN_DENIED = "login.refused";
    /// The caller lacks the permission for the operation, or the session belongs to another user.
    ACCESS_DENIED = "access.refused";
    /// An access token was not issued by this service, was revoked, or its session has ended.
    TOKEN_DENIED = "token.refused";
    /// A refresh token is not one of an open session.
    REFRESH_DENIED = "refresh.refused";
    /// The change would have left no active administrator.
    CHANGE_DENIED = "change.refused";
    KEY_GENERATED = "key.generated";
    KEY_ROTATED = "key.rotated";
    KEY_RETIRED = "key.retired";
    KEY_REVOKED = "key.revoked";
    /// An operator deleted events older than a time.
    AUDIT_PRUNED = "audit.pruned";
}

impl Action {
    /// Grammar of [`Action::from_str`] as a regular expression (ECMA-262).
    pub const PATTERN: &'static str = "^[a-z_]{1,32}[.][a-z_]{1,32}$";

    /// A record of this kind was created.
    #[must_use]
    pub fn created<K: Kind>() -> Self {
        Self::on::<K>("created")
    }

    /// A record of this kind was updated.
    #[must_use]
    pub fn updated<K: Kind>() -> Self {
        Self::on::<K>("updated")
    }

    /// A record of this kind was deleted.
    #[must_use]
    pub fn deleted<K: Kind>() -> Self {
        Self::on::<K>("deleted")
    }

    fn on<K: Kind>(what: &str) -> Self {
        Self(format!("{}.{what}", K::NAME).into())
    }

    /// Name in stores, on the wire and on the command line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let is_word =
            |word: &str| (1..=32).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        match text.split_once('.') {
            Some((kind, what)) if is_word(kind) && is_word(what) => Ok(Self(text.to_owned().into())),
            _ => Err(ActionError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserKind;

    #[test]
    fn action_of_later_release_is_accepted() {
        for text in ["user.created", "course.published_early"] {
            assert_eq!(text.parse::<Action>().unwrap().as_str(), text);
        }
        assert_eq!("user.created".parse(), Ok(Action::created::<UserKind>()));
        for wrong in ["", "user", "user.", ".created", "user.created.twice", "User.created", "user created"] {
            assert_eq!(wrong.parse::<Action>(), Err(ActionError), "{wrong:?}");
        }
        assert!(Action::OTHERS.iter().all(|action| action.as_str().parse() == Ok(action.clone())));
    }
}
