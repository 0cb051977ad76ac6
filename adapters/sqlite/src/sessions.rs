//! The session port.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent};
use domain::session::{
    NewSession, OpenSessionError, RefreshTokenDigest, Rotation, RotationError, Session, SessionStore, UserAgent,
};
use domain::{Actor, ActorId, Page, PageRequest, Reach, SessionId, StoreError, Target, UserId};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::SqliteStore;
use crate::audit::{append, append_count};
use crate::errors::Failure;
use crate::rows::{self, micros, session_columns};
use crate::writer::TxError;

const VERIFIED: &str = "UPDATE users SET failed_logins = 0, next_login_at = NULL \
     WHERE id = ?1 AND status = 'active' AND password_hash = ?2";
const INSERT: &str = concat!(
    "INSERT INTO sessions (user_id, opened_at, refreshed_at, expires_at, ends_at, client, user_agent, refresh_order) ",
    "VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, \
         (SELECT coalesce(max(refresh_order), 0) + 1 FROM sessions WHERE user_id = ?1)) RETURNING ",
    session_columns!()
);
const INSERT_TOKEN: &str = "INSERT INTO refresh_tokens (digest, session_id) VALUES (?1, ?2)";
const TOKEN: &str = "SELECT session_id, used_at FROM refresh_tokens WHERE digest = ?1";
const FIND: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions WHERE id = ?1 AND NOT EXISTS \
     (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.password_expires_at <= ?2)"
);
const USE_TOKEN: &str = "UPDATE refresh_tokens SET used_at = ?2 WHERE digest = ?1";
const REFRESH: &str = concat!(
    "UPDATE sessions SET refreshed_at = ?2, expires_at = ?3, refresh_order = \
         (SELECT max(refresh_order) + 1 FROM sessions AS own WHERE own.user_id = sessions.user_id) \
     WHERE id = ?1 RETURNING ",
    session_columns!()
);
const PAGE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions WHERE user_id = ?1 AND expires_at > ?2 AND id > ?3 ORDER BY id LIMIT ?4"
);
const END: &str = "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2";
const END_OTHERS: &str = "DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2";
/// All but the given session and the `?3` latest refreshed ones of the others.
const END_EXCESS: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ?1 AND id <> ?2 \
     ORDER BY refresh_order DESC, refreshed_at DESC, id DESC LIMIT -1 OFFSET ?3)";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at < ?1";
const INSERT_SECRET: &str = "INSERT INTO secrets (name, value) VALUES ('refresh_tokens', ?1) ON CONFLICT DO NOTHING";
const SECRET: &str = "SELECT value FROM secrets WHERE name = 'refresh_tokens'";

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open(&self, new: NewSession, by: &Actor) -> Result<Session, OpenSessionError> {
        let by = by.clone();
        self.writer.write(move |connection| open(connection, &new, &by)).await
    }

    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError> {
        let (rotation, by) = (rotation.clone(), by.clone());
        // A replay ends the session, so it must commit: the writer receives it as a success.
        let rotated = self.writer.write(move |connection| match rotate(connection, &rotation, &by) {
            Err(TxError::Rejected(RotationError::Replayed)) => Ok(None),
            other => other.map(Some),
        });
        rotated.await?.ok_or(RotationError::Replayed)
    }

    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError> {
        let params = [of.get(), micros(now), request.position(), request.rows()];
        let found = self.read(Reach::Page, move |connection| Ok(rows::all(connection, PAGE, params, rows::session)?));
        Ok(Page::from_rows(found.await?, request.size))
    }

    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError> {
        let by = by.clone();
        let end = move |connection: &Connection| -> Result<bool, TxError<StoreError>> {
            let ended = connection.prepare_cached(END)?.execute([id.get(), of.get()])? > 0;
            if ended {
                append(connection, &NewEvent::once(&by, Action::SESSION_ENDED, Target::of(id)))?;
            }
            Ok(ended)
        };
        self.writer.write(end).await
    }

    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError> {
        let by = by.clone();
        let end = move |connection: &Connection| Ok::<_, TxError<_>>(end_others(connection, of, None, &by)?);
        self.writer.write(end).await
    }

    async fn delete_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let by = by.clone();
        let delete = move |connection: &Connection| -> Result<u64, TxError<StoreError>> {
            let count = connection.prepare_cached(DELETE_EXPIRED)?.execute([micros(before)])?;
            append_count(connection, by, Action::SESSIONS_EXPIRED, None, count)?;
            Ok(count as u64)
        };
        self.writer.write(delete).await
    }

    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let key = move |connection: &Connection| -> Result<[u8; 32], TxError<StoreError>> {
            connection.prepare_cached(INSERT_SECRET)?.execute([candidate])?;
            Ok(connection.prepare_cached(SECRET)?.query_row([], |row| row.get(0))?)
        };
        self.writer.write(key).await
    }
}

/// Ends the sessions of a user except `kept_session`, and returns their number.
pub fn end_others(
    connection: &Connection,
    of: UserId,
    kept_session: Option<SessionId>,
    by: &Actor,
) -> Result<u64, Failure> {
    let ended = connection.prepare_cached(END_OTHERS)?.execute(params![of.get(), kept_session.map(SessionId::get)])?;
    append_count(connection, by.clone(), Action::SESSION_ENDED, Some(Target::of(of)), ended)?;
    Ok(ended as u64)
}

fn open(connection: &Connection, new: &NewSession, by: &Actor) -> Result<Session, TxError<OpenSessionError>> {
    if connection.prepare_cached(VERIFIED)?.execute(params![new.user_id.get(), new.verified.expose()])? == 0 {
        return Err(TxError::Rejected(OpenSessionError::Outdated));
    }
    let end = new.lifetimes.end(by.at);
    let params = params![
        new.user_id.get(),
        micros(by.at),
        micros(new.lifetimes.expiry(by.at, end)),
        micros(end),
        by.origin.client.map(|client| client.to_string()),
        new.user_agent.as_ref().map(UserAgent::as_str),
    ];
    let opened = rows::first(connection, INSERT, params, rows::session)?;
    let session = opened.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    insert_token(connection, new.refresh_token, session.id)?;
    append(connection, &NewEvent::once(by, Action::SESSION_OPENED, Target::of(session.id)))?;
    let excess = params![new.user_id.get(), session.id.get(), new.limit.get() - 1];
    let ended = connection.prepare_cached(END_EXCESS)?.execute(excess)?;
    append_count(connection, by.clone(), Action::SESSION_ENDED, Some(Target::of(new.user_id)), ended)?;
    Ok(session)
}

fn insert_token(connection: &Connection, token: RefreshTokenDigest, session: SessionId) -> Result<(), Failure> {
    connection.prepare_cached(INSERT_TOKEN)?.execute(params![token.as_bytes(), session.get()])?;
    Ok(())
}

/// [`RotationError::Replayed`] has ended the session; the caller must commit it.
fn rotate(connection: &Connection, rotation: &Rotation, by: &Actor) -> Result<Session, TxError<RotationError>> {
    let unknown = || TxError::Rejected(RotationError::Unknown);
    let token = |digest: &RefreshTokenDigest| rows::first(connection, TOKEN, [digest.as_bytes()], rows::token);
    let (id, used_at) = token(&rotation.presented)?.ok_or_else(unknown)?;
    let is_successor_used = token(&rotation.successor)?.is_some_and(|(_, used_at)| used_at.is_some());
    let session = rows::first(connection, FIND, [id, micros(by.at)], rows::session)?.ok_or_else(unknown)?;
    if session.expires_at <= by.at {
        return Err(unknown());
    }
    let by = Actor { id: ActorId::User(session.user_id), ..by.clone() };
    let target = Target::of(session.id);
    match used_at {
        Some(used_at) if rotation.is_retry(by.at, used_at, is_successor_used) => Ok(session),
        Some(_) => {
            connection.prepare_cached(END)?.execute([session.id.get(), session.user_id.get()])?;
            append(connection, &NewEvent::once(&by, Action::SESSION_REPLAYED, target))?;
            Err(TxError::Rejected(RotationError::Replayed))
        }
        None => {
            connection.prepare_cached(USE_TOKEN)?.execute(params![rotation.presented.as_bytes(), micros(by.at)])?;
            insert_token(connection, rotation.successor, session.id)?;
            let expiry = rotation.lifetimes.expiry(by.at, session.ends_at);
            // The clock of another node may have been ahead.
            let refreshed_at = by.at.max(session.opened_at);
            let params = params![session.id.get(), micros(refreshed_at), micros(expiry)];
            let refreshed = rows::first(connection, REFRESH, params, rows::session)?.ok_or_else(unknown)?;
            append(connection, &NewEvent::once(&by, Action::SESSION_REFRESHED, target))?;
            Ok(refreshed)
        }
    }
}
