//! Who bears a session.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::StoreError;
use domain::session::{Bearers, BearersListener, BearersSource, SessionId};
use domain::user::User;
use tokio::time::timeout;

use crate::PostgresStore;
use crate::failure::store_error;
use crate::users::{UserRow, columns};

const FIND: &str =
    concat!("SELECT ", columns!(), " FROM users WHERE active AND id = (SELECT user_id FROM sessions WHERE id = $1)");
/// Every request waits for this answer, and a server that is silent gives none.
const PATIENCE: Duration = Duration::from_secs(3);

#[async_trait]
impl Bearers for PostgresStore {
    async fn bearer(&self, session: SessionId) -> Result<Option<Arc<User>>, StoreError> {
        let find = sqlx::query_as(FIND).bind(session.get()).fetch_optional(&self.pool);
        let found: Option<UserRow> =
            timeout(PATIENCE, find).await.map_err(StoreError::unavailable)?.map_err(store_error)?;
        found.map(|row| row.try_into().map(Arc::new)).transpose()
    }
}

impl BearersSource for PostgresStore {
    fn tell(&self, listener: Arc<dyn BearersListener>) {
        self.hearing.tell(listener);
    }

    fn is_heard(&self) -> Result<bool, StoreError> {
        Ok(self.hearing.is_heard())
    }
}
