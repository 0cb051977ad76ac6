//! The session port.
//!
//! Lock order: users, then sessions by id, then refresh tokens.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent};
use domain::session::{NewSession, OpenSessionError, Rotation, RotationError, Session, SessionStore, UserAgent};
use domain::{Actor, ActorId, Page, PageRequest, SessionId, StoreError, Target, UserId};
use sqlx::postgres::{PgConnection, PgRow};
use time::OffsetDateTime;

use crate::PostgresStore;
use crate::audit::{append, append_count};
use crate::failure::{Damaged, store_error};
use crate::instant::Instant;
use crate::rows::Columns;

macro_rules! columns {
    () => {
        "id, user_id, opened_at, refreshed_at, expires_at, ends_at, host(client) AS client, user_agent"
    };
}

const VERIFIED: &str = "UPDATE users SET failed_logins = 0, next_login_at = NULL \
     WHERE id = $1 AND active AND password_hash = $2";
const INSERT: &str = concat!(
    "INSERT INTO sessions (user_id, opened_at, refreshed_at, expires_at, ends_at, client, user_agent) ",
    "VALUES ($1, $2, $2, $3, $4, $5::text::inet, $6) RETURNING ",
    columns!()
);
const INSERT_TOKEN: &str = "INSERT INTO refresh_tokens (digest, session_id) VALUES ($1, $2)";
const SESSION_OF: &str = "SELECT session_id FROM refresh_tokens WHERE digest = $1";
const LOCK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE id = $1 AND NOT EXISTS \
     (SELECT FROM users WHERE users.id = sessions.user_id AND users.password_expires_at <= $2) FOR UPDATE"
);
/// A separate statement, so that it sees what was committed before the lock was granted.
const USED_AT: &str = "SELECT used_at FROM refresh_tokens WHERE digest = $1";
const USE_TOKEN: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE digest = $1";
const REFRESH: &str =
    concat!("UPDATE sessions SET refreshed_at = $2, expires_at = $3 WHERE id = $1 RETURNING ", columns!());
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE user_id = $1 AND expires_at > $2 AND id > $3 ORDER BY id LIMIT $4"
);
const END: &str = "DELETE FROM sessions WHERE id = $1 AND user_id = $2";
const END_OTHERS: &str = "DELETE FROM sessions WHERE id IN \
     (SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 ORDER BY id FOR UPDATE) RETURNING id";
/// All but the given session and the `$3` latest refreshed ones of the others.
const END_EXCESS: &str = "DELETE FROM sessions WHERE id IN \
     (SELECT id FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND id <> $2 \
      ORDER BY refreshed_at DESC, id DESC OFFSET $3) ORDER BY id FOR UPDATE) RETURNING id";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE id IN \
     (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY id FOR UPDATE) RETURNING id";
const INSERT_SECRET: &str = "INSERT INTO secrets (name, value) VALUES ('refresh_tokens', $1) ON CONFLICT DO NOTHING";
const SECRET: &str = "SELECT value FROM secrets WHERE name = 'refresh_tokens'";

/// Reads the columns of [`columns!`].
fn session(row: &PgRow) -> Result<Session, StoreError> {
    let mut columns = Columns::new(row, "sessions")?;
    Ok(Session {
        id: columns.id()?,
        user_id: columns.next("user_id", |id: i64| id.try_into())?,
        opened_at: columns.time("opened_at")?,
        refreshed_at: columns.time("refreshed_at")?,
        expires_at: columns.time("expires_at")?,
        ends_at: columns.time("ends_at")?,
        client: columns.next("client", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        user_agent: columns
            .next("user_agent", |name: Option<String>| Ok::<_, ()>(name.as_deref().and_then(UserAgent::of)))?,
    })
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn open(&self, new: NewSession, by: &Actor) -> Result<Session, OpenSessionError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let verified = sqlx::query(VERIFIED).bind(new.user_id.get()).bind(new.verified.expose());
        if verified.execute(&mut *transaction).await.map_err(store_error)?.rows_affected() == 0 {
            return Err(OpenSessionError::Outdated);
        }
        let end = new.lifetimes.end(by.at);
        let insert = sqlx::query(INSERT)
            .bind(new.user_id.get())
            .bind(by.at)
            .bind(new.lifetimes.expiry(by.at, end))
            .bind(end)
            .bind(by.origin.client.map(|client| client.to_string()))
            .bind(new.user_agent.as_ref().map(UserAgent::as_str));
        let session = session(&insert.fetch_one(&mut *transaction).await.map_err(store_error)?)?;
        insert_token(new.refresh_token.as_bytes(), session.id, &mut transaction).await?;
        let opened = NewEvent::once(by, Action::SESSION_OPENED, Target::of(session.id));
        append(&opened, &mut *transaction).await?;
        let excess = sqlx::query_scalar(END_EXCESS).bind(new.user_id.get()).bind(session.id.get());
        let excess = excess.bind(i64::from(new.limit.get() - 1)).fetch_all(&mut *transaction).await;
        let ended: Vec<i64> = excess.map_err(store_error)?;
        let (target, count) = (Target::of(new.user_id), ended.len() as u64);
        append_count(by, Action::SESSION_ENDED, Some(target), count, &mut *transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        self.invalidations.sessions_ended(&ended);
        Ok(session)
    }

    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError> {
        let digest = rotation.presented.as_bytes();
        let found: Option<i64> =
            sqlx::query_scalar(SESSION_OF).bind(digest).fetch_optional(&self.pool).await.map_err(store_error)?;
        let id = found.ok_or(RotationError::Unknown)?;

        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let locked = sqlx::query(LOCK).bind(id).bind(by.at).fetch_optional(&mut *transaction).await;
        let session = session(&locked.map_err(store_error)?.ok_or(RotationError::Unknown)?)?;
        if session.expires_at <= by.at {
            return Err(RotationError::Unknown);
        }
        let used_at = sqlx::query_scalar(USED_AT).bind(digest).fetch_one(&mut *transaction).await;
        let used_at: Option<Instant> = used_at.map_err(store_error)?;
        let by = Actor { id: ActorId::User(session.user_id), ..by.clone() };
        match used_at {
            Some(used_at) if by.at < used_at.0 + rotation.grace => Ok(session),
            Some(_) => {
                delete(session.id, session.user_id, &mut transaction).await?;
                let replayed = NewEvent::once(&by, Action::SESSION_REPLAYED, Target::of(session.id));
                append(&replayed, &mut *transaction).await?;
                transaction.commit().await.map_err(store_error)?;
                self.invalidations.session_ended(session.id);
                Err(RotationError::Replayed)
            }
            None => {
                let refreshed = refresh(&session, rotation, &by, &mut transaction).await?;
                transaction.commit().await.map_err(store_error)?;
                Ok(refreshed)
            }
        }
    }

    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError> {
        let page = sqlx::query(PAGE).bind(of.get()).bind(now).bind(request.position()).bind(request.rows());
        let rows = page.fetch_all(&self.pool).await.map_err(store_error)?;
        Ok(Page::from_rows(rows.iter().map(session).collect::<Result<_, _>>()?, request))
    }

    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        if !delete(id, of, &mut transaction).await? {
            return Ok(false);
        }
        append(&NewEvent::once(by, Action::SESSION_ENDED, Target::of(id)), &mut *transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        self.invalidations.session_ended(id);
        Ok(true)
    }

    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let ended = end_others(of, None, by, &mut transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        self.invalidations.sessions_ended(&ended);
        Ok(ended.len() as u64)
    }

    async fn delete_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let deleted = sqlx::query_scalar(DELETE_EXPIRED).bind(before).fetch_all(&mut *transaction).await;
        let deleted: Vec<i64> = deleted.map_err(store_error)?;
        let count = deleted.len() as u64;
        append_count(by, Action::SESSIONS_EXPIRED, None, count, &mut *transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        self.invalidations.sessions_ended(&deleted);
        Ok(count)
    }

    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        sqlx::query(INSERT_SECRET).bind(&candidate[..]).execute(&self.pool).await.map_err(store_error)?;
        let key: Vec<u8> = sqlx::query_scalar(SECRET).fetch_one(&self.pool).await.map_err(store_error)?;
        key.try_into().map_err(|_| StoreError::failed(Damaged { table: "secrets", id: 0, column: "value" }))
    }
}

/// Ends the sessions of a user except `kept_session`, and returns their ids.
pub(crate) async fn end_others(
    of: UserId,
    kept_session: Option<SessionId>,
    by: &Actor,
    transaction: &mut PgConnection,
) -> Result<Vec<i64>, StoreError> {
    let end = sqlx::query_scalar(END_OTHERS).bind(of.get()).bind(kept_session.map(SessionId::get));
    let ended: Vec<i64> = end.fetch_all(&mut *transaction).await.map_err(store_error)?;
    append_count(by, Action::SESSION_ENDED, Some(Target::of(of)), ended.len() as u64, transaction).await?;
    Ok(ended)
}

async fn delete(id: SessionId, of: UserId, transaction: &mut PgConnection) -> Result<bool, StoreError> {
    let delete = sqlx::query(END).bind(id.get()).bind(of.get()).execute(transaction).await;
    Ok(delete.map_err(store_error)?.rows_affected() > 0)
}

async fn insert_token(digest: &[u8; 32], session: SessionId, transaction: &mut PgConnection) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_TOKEN).bind(&digest[..]).bind(session.get());
    insert.execute(transaction).await.map_err(store_error)?;
    Ok(())
}

/// Replaces the token by its successor. The session must be locked.
async fn refresh(
    current: &Session,
    rotation: &Rotation,
    by: &Actor,
    transaction: &mut PgConnection,
) -> Result<Session, StoreError> {
    let used = sqlx::query(USE_TOKEN).bind(&rotation.presented.as_bytes()[..]).bind(by.at);
    used.execute(&mut *transaction).await.map_err(store_error)?;
    insert_token(rotation.successor.as_bytes(), current.id, transaction).await?;
    let refresh = sqlx::query(REFRESH)
        .bind(current.id.get())
        // The clock of another node may have been ahead.
        .bind(by.at.max(current.opened_at))
        .bind(rotation.lifetimes.expiry(by.at, current.ends_at));
    let row = refresh.fetch_one(&mut *transaction).await.map_err(store_error)?;
    append(&NewEvent::once(by, Action::SESSION_REFRESHED, Target::of(current.id)), transaction).await?;
    session(&row)
}
