//! Session lookup, which authenticates every request, and the feed that invalidates cached sessions.

use std::sync::Arc;

use async_trait::async_trait;

use crate::record::Record;
use crate::user::User;
use crate::{SessionId, StoreError, UserId};

/// Session lookup port.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionLookup: Send + Sync {
    /// Returns the user of an open session; `None` if the session has ended, or its user is deleted or disabled.
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError>;
}

/// Notifies a cache of changes to sessions and their users.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationFeed: Send + Sync {
    /// Notifies `listener` of every change to the result of [`SessionLookup::active_user`]. A change through this store is reported
    /// before its call returns; any other change by the time [`InvalidationFeed::is_current`] guarantees.
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>);

    /// Whether every change up to now, or up to the store's bound before now, has been reported. While it is `false`, cached
    /// sessions are invalid; before it becomes `true` again, [`InvalidationListener::anything_changed`] is called. MUST run no
    /// query if nothing has changed.
    fn is_current(&self) -> Result<bool, StoreError>;
}

/// Receives invalidations.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationListener: Send + Sync {
    /// The user was updated or deleted.
    fn user_changed(&self, id: UserId);

    /// The session has ended.
    fn session_ended(&self, id: SessionId);

    /// Every session and user may have changed.
    fn anything_changed(&self);
}
