//! The session port.
//!
//! Lock order: users, then sessions by id, then refresh tokens.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent};
use domain::session::{NewSession, OpenSessionError, Rotation, RotationError, Session, SessionStore, UserAgent};
use domain::{Actor, ActorId, Kind, Page, PageRequest, SessionId, SessionKind, StoreError, Target, UserId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

use crate::PostgresStore;
use crate::audit::{append, append_count};
use crate::connection::Connection;
use crate::failure::{Damaged, Failure};
use crate::instant::Instant;
use crate::rows::Columns;
use crate::users::key;

macro_rules! columns {
    () => {
        "id, user_id, opened_at, refreshed_at, expires_at, ends_at, host(client) AS client, user_agent"
    };
}

const VERIFIED: &str = "UPDATE users SET failed_logins = 0, next_login_at = NULL \
     WHERE id = $1 AND active AND password_hash = $2";
const INSERT: &str = concat!(
    "INSERT INTO sessions (user_id, opened_at, refreshed_at, expires_at, ends_at, client, user_agent, refresh_order) ",
    "VALUES ($1, $2, $2, $3, $4, $5::text::inet, $6, \
         (SELECT coalesce(max(refresh_order), 0) + 1 FROM sessions WHERE user_id = $1)) RETURNING ",
    columns!()
);
const INSERT_TOKEN: &str = "INSERT INTO refresh_tokens (digest, session_id) VALUES ($1, $2)";
/// The open session of a refresh token, and when the token and its successor were used.
const TOKEN: &str = concat!(
    "SELECT ",
    columns!(),
    ", token.used_at, successor.used_at AS successor_used_at FROM refresh_tokens token \
     JOIN sessions ON sessions.id = token.session_id LEFT JOIN refresh_tokens successor ON successor.digest = $2 \
     WHERE token.digest = $1 AND expires_at > $3 AND NOT EXISTS \
     (SELECT FROM users WHERE users.id = sessions.user_id AND users.password_expires_at <= $3)"
);
/// A separate statement, so that [`TOKEN`] sees what was committed before the lock was granted.
const LOCK: &str = "SELECT FROM sessions WHERE id = $1 FOR UPDATE";
const USE_TOKEN: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE digest = $1";
const REFRESH: &str = concat!(
    "UPDATE sessions SET refreshed_at = $2, expires_at = $3, refresh_order = \
         (SELECT max(refresh_order) + 1 FROM sessions AS own WHERE own.user_id = sessions.user_id) \
     WHERE id = $1 RETURNING ",
    columns!()
);
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
      ORDER BY refresh_order DESC, refreshed_at DESC, id DESC OFFSET $3) ORDER BY id FOR UPDATE) RETURNING id";
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
        let mut transaction = self.pool.begin(key(new.user_id)).await?;
        let verified = sqlx::query(VERIFIED).bind(new.user_id.get()).bind(new.verified.expose());
        if transaction.execute(verified).await? == 0 {
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
        let session = session(&transaction.fetch_one(insert).await?)?;
        insert_token(new.refresh_token.as_bytes(), session.id, &mut transaction).await?;
        let opened = NewEvent::once(by, Action::SESSION_OPENED, Target::of(session.id));
        append(&opened, &mut transaction).await?;
        let excess = sqlx::query(END_EXCESS).bind(new.user_id.get()).bind(session.id.get());
        let ended = ids(&transaction.fetch_all(excess.bind(i64::from(new.limit.get() - 1))).await?)?;
        let (target, count) = (Target::of(new.user_id), ended.len() as u64);
        append_count(by, Action::SESSION_ENDED, Some(target), count, &mut transaction).await?;
        transaction.commit().await?;
        self.invalidations.sessions_ended(&ended);
        Ok(session)
    }

    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError> {
        let written = ("refresh token", prefix(rotation.presented.as_bytes()));
        // Most of many concurrent requests are retries. They wait for the first one, and need no lock.
        let session = loop {
            let token = find_token(rotation, by, &mut self.pool.read().await?).await?.ok_or(RotationError::Unknown)?;
            if token.is_retry(rotation, by) {
                return Ok(token.session);
            }
            if !self.pool.wait_for_write(written).await? {
                break token.session.id;
            }
        };
        let mut transaction = self.pool.begin((written.0, Some(written.1))).await?;
        transaction.execute(sqlx::query(LOCK).bind(session.get())).await?;
        let token = find_token(rotation, by, &mut transaction).await?.ok_or(RotationError::Unknown)?;
        let session = &token.session;
        let by = Actor { id: ActorId::User(session.user_id), ..by.clone() };
        match token.used_at {
            Some(_) if token.is_retry(rotation, &by) => Ok(token.session),
            Some(_) => {
                delete(session.id, session.user_id, &mut transaction).await?;
                let replayed = NewEvent::once(&by, Action::SESSION_REPLAYED, Target::of(session.id));
                append(&replayed, &mut transaction).await?;
                transaction.commit().await?;
                self.invalidations.session_ended(session.id);
                Err(RotationError::Replayed)
            }
            None => {
                let refreshed = refresh(session, rotation, &by, &mut transaction).await?;
                transaction.commit().await?;
                Ok(refreshed)
            }
        }
    }

    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError> {
        let page = sqlx::query(PAGE).bind(of.get()).bind(now).bind(request.position()).bind(request.rows());
        let rows = self.pool.read().await?.fetch_all(page).await?;
        Ok(Page::from_rows(rows.iter().map(session).collect::<Result<_, _>>()?, request.size))
    }

    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin(key(of)).await?;
        if !delete(id, of, &mut transaction).await? {
            return Ok(false);
        }
        append(&NewEvent::once(by, Action::SESSION_ENDED, Target::of(id)), &mut transaction).await?;
        transaction.commit().await?;
        self.invalidations.session_ended(id);
        Ok(true)
    }

    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin(key(of)).await?;
        let ended = end_others(of, None, by, &mut transaction).await?;
        transaction.commit().await?;
        self.invalidations.sessions_ended(&ended);
        Ok(ended.len() as u64)
    }

    async fn delete_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin_bulk(SessionKind::NAME).await?;
        let deleted = ids(&transaction.fetch_all(sqlx::query(DELETE_EXPIRED).bind(before)).await?)?;
        let count = deleted.len() as u64;
        append_count(by, Action::SESSIONS_EXPIRED, None, count, &mut transaction).await?;
        transaction.commit().await?;
        self.invalidations.sessions_ended(&deleted);
        Ok(count)
    }

    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let mut connection = self.pool.write(("secret", None)).await?;
        connection.execute(sqlx::query(INSERT_SECRET).bind(&candidate[..])).await?;
        let key: Vec<u8> = connection.fetch_one(sqlx::query(SECRET)).await?.try_get(0).map_err(Failure::from)?;
        key.try_into().map_err(|_| StoreError::failed(Damaged { table: "secrets", id: 0, column: "value" }))
    }
}

/// Ends the sessions of a user except `kept_session`, and returns their ids.
pub(crate) async fn end_others(
    of: UserId,
    kept_session: Option<SessionId>,
    by: &Actor,
    transaction: &mut Connection<'_>,
) -> Result<Vec<i64>, Failure> {
    let end = sqlx::query(END_OTHERS).bind(of.get()).bind(kept_session.map(SessionId::get));
    let ended = ids(&transaction.fetch_all(end).await?)?;
    append_count(by, Action::SESSION_ENDED, Some(Target::of(of)), ended.len() as u64, transaction).await?;
    Ok(ended)
}

async fn delete(id: SessionId, of: UserId, transaction: &mut Connection<'_>) -> Result<bool, Failure> {
    Ok(transaction.execute(sqlx::query(END).bind(id.get()).bind(of.get())).await? > 0)
}

/// A refresh token with its open session.
struct Token {
    session: Session,
    used_at: Option<OffsetDateTime>,
    is_successor_used: bool,
}

impl Token {
    /// Returns `true` if the token was used, and gets the same response again.
    fn is_retry(&self, rotation: &Rotation, by: &Actor) -> bool {
        self.used_at.is_some_and(|used_at| rotation.is_retry(by.at, used_at, self.is_successor_used))
    }
}

async fn find_token(
    rotation: &Rotation,
    by: &Actor,
    connection: &mut Connection<'_>,
) -> Result<Option<Token>, Failure> {
    let find = sqlx::query(TOKEN).bind(rotation.presented.as_bytes()).bind(rotation.successor.as_bytes()).bind(by.at);
    let Some(row) = connection.fetch_optional(find).await? else { return Ok(None) };
    let used_at = |column| Ok::<_, Failure>(row.try_get::<Option<Instant>, _>(column)?.map(|at| at.0));
    Ok(Some(Token {
        session: session(&row)?,
        used_at: used_at("used_at")?,
        is_successor_used: used_at("successor_used_at")?.is_some(),
    }))
}

/// The first bytes of a digest.
pub(crate) fn prefix(digest: &[u8; 32]) -> i64 {
    digest.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

async fn insert_token(digest: &[u8; 32], session: SessionId, transaction: &mut Connection<'_>) -> Result<(), Failure> {
    transaction.execute(sqlx::query(INSERT_TOKEN).bind(&digest[..]).bind(session.get())).await?;
    Ok(())
}

/// Replaces the token by its successor. The session must be locked.
async fn refresh(
    current: &Session,
    rotation: &Rotation,
    by: &Actor,
    transaction: &mut Connection<'_>,
) -> Result<Session, Failure> {
    transaction.execute(sqlx::query(USE_TOKEN).bind(&rotation.presented.as_bytes()[..]).bind(by.at)).await?;
    insert_token(rotation.successor.as_bytes(), current.id, transaction).await?;
    let refresh = sqlx::query(REFRESH)
        .bind(current.id.get())
        // The clock of another node may have been ahead.
        .bind(by.at.max(current.opened_at))
        .bind(rotation.lifetimes.expiry(by.at, current.ends_at));
    let row = transaction.fetch_one(refresh).await?;
    append(&NewEvent::once(by, Action::SESSION_REFRESHED, Target::of(current.id)), transaction).await?;
    Ok(session(&row)?)
}

/// The ids that a statement returned.
fn ids(rows: &[PgRow]) -> Result<Vec<i64>, Failure> {
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
