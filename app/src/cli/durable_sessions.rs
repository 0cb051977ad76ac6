//! Sessions for client tests that stay open after a logout.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use domain::record::{Record, RecordStore};
use domain::session::SessionLookup;
use domain::user::{Status, User};
use domain::{SessionId, StoreError, UserId};

use crate::stores::Stores;

/// Session lookup in which durable sessions stay open until their user is disabled or deleted.
pub struct DurableSessions {
    inner: Arc<dyn SessionLookup>,
    users: Arc<dyn RecordStore<User>>,
    sessions: OnceLock<BTreeMap<SessionId, UserId>>,
}

impl DurableSessions {
    /// Replaces the session lookup of the stores.
    pub fn replace_in(stores: &mut Stores) -> Arc<Self> {
        let (inner, users) = (stores.session_lookup.clone(), stores.users.clone());
        let durable = Arc::new(Self { inner, users, sessions: OnceLock::new() });
        stores.session_lookup = durable.clone();
        durable
    }

    /// Sets the durable sessions. Later calls have no effect.
    pub fn set(&self, sessions: BTreeMap<SessionId, UserId>) {
        self.sessions.get_or_init(|| sessions);
    }
}

#[async_trait]
impl SessionLookup for DurableSessions {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        let open = self.inner.active_user(session).await?;
        match self.sessions.get().and_then(|sessions| sessions.get(&session)) {
            Some(user) if open.is_none() => {
                let user = self.users.find(*user).await?;
                Ok(user.filter(|user| user.status == Status::Active).map(Arc::new))
            }
            _ => Ok(open),
        }
    }
}
