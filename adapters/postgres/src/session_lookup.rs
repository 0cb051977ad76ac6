//! Session lookup, and delegation to the invalidation feed.

use std::sync::Arc;

use async_trait::async_trait;
use domain::record::Record;
use domain::session::{InvalidationFeed, InvalidationListener, SessionLookup};
use domain::user::User;
use domain::{SessionId, StoreError};

use crate::PostgresStore;
use crate::rows;
use crate::users::user_columns;

const FIND: &str = concat!(
    "SELECT id, ",
    user_columns!(),
    ", version, created_at, updated_at FROM users WHERE active AND id = (SELECT user_id FROM sessions WHERE id = $1)"
);

#[async_trait]
impl SessionLookup for PostgresStore {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        let found = self.pool.read().await?.fetch_optional(sqlx::query(FIND).bind(session.get())).await?;
        found.map(|row| rows::record(&row).map(Arc::new)).transpose()
    }
}

impl InvalidationFeed for PostgresStore {
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        self.invalidations.subscribe(listener);
    }

    fn is_current(&self) -> Result<bool, StoreError> {
        Ok(self.invalidations.is_current())
    }
}
