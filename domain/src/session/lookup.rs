//! Ports for the session lookup of every request, and for the invalidation of cached sessions.

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
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError>;
}

/// Invalidation feed port: notifies a session cache of changes to sessions and users.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationFeed: Send + Sync {
    /// Notifies `listener` of every change to the result of [`SessionLookup::active_user`]. A change through this store is
    /// reported before its call returns, any other change within the bound of [`InvalidationFeed::is_current`].
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>);

    /// Returns `true` if all changes older than the store's maximum delay have been reported. While it is `false`, cached
    /// sessions are invalid; [`InvalidationListener::anything_changed`] is called before it is `true` again. MUST NOT run a
    /// query if nothing has changed.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    fn is_current(&self) -> Result<bool, StoreError>;
}

/// Receiver of an [`InvalidationFeed`].
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait InvalidationListener: Send + Sync {
    /// Called if a user was updated or deleted.
    fn user_changed(&self, id: UserId);

    /// Called if a session has ended.
    fn session_ended(&self, id: SessionId);

    /// Called if any session or user may have changed.
    fn anything_changed(&self);
}
