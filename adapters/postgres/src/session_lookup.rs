//! Session lookup, and delegation to the invalidation feed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::record::Record;
use domain::session::{InvalidationFeed, InvalidationListener, SessionLookup};
use domain::user::User;
use domain::{SessionId, StoreError};
use tokio::time::timeout;

use crate::PostgresStore;
use crate::failure::store_error;
use crate::rows;
use crate::users::user_columns;

const FIND: &str = concat!(
    "SELECT id, ",
    user_columns!(),
    ", version, created_at, updated_at FROM users WHERE active AND id = (SELECT user_id FROM sessions WHERE id = $1)"
);
/// Maximum wait per request if the server does not respond.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

#[async_trait]
impl SessionLookup for PostgresStore {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        let find = sqlx::query(FIND).bind(session.get()).fetch_optional(&self.pool);
        let found = timeout(LOOKUP_TIMEOUT, find).await.map_err(StoreError::unavailable)?.map_err(store_error)?;
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
