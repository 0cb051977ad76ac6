//! Who bears a session: what every request is judged by.

use std::sync::Arc;

use async_trait::async_trait;

use crate::record::Record;
use crate::user::User;
use crate::{SessionId, StoreError, UserId};

/// Finds the bearers of sessions.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionLookup: Send + Sync {
    /// The user whose open session it is, as both are now; `None` where the session has ended, or its user is gone or
    /// disabled.
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError>;
}

/// Bearers as the store has them, and whatever changes about them, so that somebody else can keep them too.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationFeed: Send + Sync {
    /// Tells `listener` from now on of every change of what [`SessionLookup::active_user`] answers: of a change through this very
    /// store before the change's caller has its answer, of any other as soon as [`InvalidationFeed::is_current`] says.
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>);

    /// Whether everything that was changed until now, or until shortly before now where the store has a bound for it, has
    /// been told. While it is `false`, what was told before counts for nothing; before it is `true` again, the listener
    /// is told that everything may have changed. MUST cost no query where nothing has changed.
    fn is_current(&self) -> Result<bool, StoreError>;
}

/// Hears what changes about bearers.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationListener: Send + Sync {
    /// The user was changed or removed.
    fn user_changed(&self, id: UserId);

    /// The session has ended.
    fn session_ended(&self, id: SessionId);

    /// Anything may have changed.
    fn anything_changed(&self);
}
