//! The port of the users.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent, Target};
use domain::user::{
    Admission, Attempts, Credentials, InsertUserError, NewUser, PasswordHash, Role, Status, User, UserChange,
    UserChangeError, UserId, UserStore, Username,
};
use domain::{Actor, Cursor, Page, PageSize, StoreError, Version};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::audit::append;
use crate::errors::Failure;
use crate::rows::{self, attempts_columns, micros, user_columns};
use crate::sessions::end_others;
use crate::writer::Undone;

const INSERT: &str = concat!(
    "INSERT INTO users (username, username_folded, password_hash, role, status, version, created_at, updated_at, ",
    "password_change_due) VALUES (?1, ?2, ?3, ?4, 'active', 1, ?5, ?5, ?6) RETURNING ",
    user_columns!()
);
const ANY: &str = "SELECT 1 FROM users";
const IS_OPEN: &str = "SELECT 1 FROM sessions WHERE id = ?1 AND user_id = ?2";
const FIND: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ?1");
const FIND_CREDENTIALS: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", password_hash, password_expires_at, ",
    attempts_columns!(),
    " FROM users WHERE username_folded = ?1"
);
const PAGE: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id > ?1 ORDER BY id LIMIT ?2");
const CHANGE: &str = concat!(
    "UPDATE users SET role = coalesce(?2, role), status = coalesce(?3, status), version = version + 1, ",
    "updated_at = ?4 WHERE id = ?1 RETURNING ",
    user_columns!()
);
const SET_PASSWORD: &str = "UPDATE users SET password_hash = ?2, password_change_due = ?3, password_expires_at = ?4, \
     failed_logins = 0, next_login_at = NULL WHERE id = ?1";
const ATTEMPTS: &str = concat!("SELECT id, ", attempts_columns!(), " FROM users WHERE id = ?1");
const SET_ATTEMPTS: &str = "UPDATE users SET failed_logins = ?2, next_login_at = ?3 WHERE id = ?1";
const PRETEND: &str = "UPDATE login_decoys SET failed_logins = (failed_logins + 1) % 100, next_login_at = NULL";
const UNLOCK: &str = concat!(
    "UPDATE users SET failed_logins = 0, next_login_at = NULL, version = version + 1, updated_at = ?2 ",
    "WHERE id = ?1 RETURNING ",
    user_columns!()
);
const UPGRADE_HASH: &str = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
const REMOVE: &str = "DELETE FROM users WHERE id = ?1";
const ANOTHER_ADMINISTRATOR: &str = "SELECT 1 FROM users WHERE role = 'admin' AND status = 'active' AND id <> ?1";

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert(&self, new: NewUser, by: &Actor) -> Result<User, InsertUserError> {
        let by = by.clone();
        self.writer.write(move |connection| insert(connection, &new, &by).map_err(refuse_taken)).await
    }

    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<User>, StoreError> {
        let by = by.clone();
        let insert_first = move |connection: &Connection| {
            if rows::exists(connection, ANY, [])? { Ok(None) } else { Ok(Some(insert(connection, &new, &by)?)) }
        };
        self.writer.write(insert_first).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.points.with(|connection| rows::first(connection, FIND, [id.get()], rows::user))?)
    }

    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let folded = username.folded();
        let find = |connection: &Connection| rows::first(connection, FIND_CREDENTIALS, [&folded], rows::credentials);
        Ok(self.points.with(find)?)
    }

    async fn page(&self, after: Option<Cursor>, size: PageSize) -> Result<Page<User>, StoreError> {
        let params = [after.map_or(0, Cursor::position), i64::from(size.get()) + 1];
        let found = self.scans.run(move |connection| Ok(rows::all(connection, PAGE, params, rows::user)?));
        Ok(Page::from_one_more(found.await?, size))
    }

    async fn change(
        &self,
        id: UserId,
        seen: Option<Version>,
        change: UserChange,
        by: &Actor,
    ) -> Result<User, UserChangeError> {
        let by = by.clone();
        self.writer.write(move |connection| self::change(connection, id, seen, &change, &by)).await
    }

    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let (from, to, by) = (from.clone(), to.clone(), by.clone());
        let upgrade = move |connection: &Connection| -> Result<(), Undone<StoreError>> {
            let params = params![id.get(), from.expose(), to.expose()];
            if connection.prepare_cached(UPGRADE_HASH)?.execute(params)? > 0 {
                append(connection, &UserChange::hash_upgraded(id, &by))?;
            }
            Ok(())
        };
        self.writer.write(upgrade).await
    }

    async fn admit_login(&self, id: UserId, by: &Actor) -> Result<Admission, StoreError> {
        let by = by.clone();
        self.writer.write(move |connection| Ok::<_, Undone<_>>(admit(connection, id, &by)?)).await
    }

    async fn pretend_to_admit_login(&self) -> Result<(), StoreError> {
        let pretend = |connection: &Connection| -> Result<(), Undone<StoreError>> {
            connection.prepare_cached(PRETEND)?.execute([])?;
            Ok(())
        };
        self.writer.write(pretend).await
    }

    async fn withdraw_login(&self, id: UserId) -> Result<(), StoreError> {
        let withdraw = move |connection: &Connection| -> Result<(), Undone<StoreError>> {
            let attempts = rows::first(connection, ATTEMPTS, [id.get()], rows::attempts)?;
            attempts.map_or(Ok(()), |attempts| set_attempts(connection, id, attempts.without_one()))?;
            Ok(())
        };
        self.writer.write(withdraw).await
    }

    async fn unlock(&self, id: UserId, by: &Actor) -> Result<User, UserChangeError> {
        let by = by.clone();
        let unlock = move |connection: &Connection| -> Result<User, Undone<UserChangeError>> {
            let unlocked = rows::first(connection, UNLOCK, params![id.get(), micros(by.at)], rows::user)?;
            let user = unlocked.ok_or(Undone::Refused(UserChangeError::Unknown))?;
            append(connection, &NewEvent::once(&by, Action::UserUnlocked, Target::User(id)))?;
            Ok(user)
        };
        self.writer.write(unlock).await
    }

    async fn remove(&self, id: UserId, seen: Option<Version>, by: &Actor) -> Result<(), UserChangeError> {
        let by = by.clone();
        let remove = move |connection: &Connection| -> Result<(), Undone<UserChangeError>> {
            let user = known(connection, id, seen)?;
            keep_an_administrator(connection, &user)?;
            end_others(connection, id, None, &by)?;
            connection.prepare_cached(REMOVE)?.execute([id.get()])?;
            append(connection, &NewEvent::once(&by, Action::UserRemoved, Target::User(id)))?;
            Ok(())
        };
        self.writer.write(remove).await
    }
}

fn admit(connection: &Connection, id: UserId, by: &Actor) -> Result<Admission, Failure> {
    let Some(attempts) = rows::first(connection, ATTEMPTS, [id.get()], rows::attempts)? else {
        return Ok(Admission::Admitted(1));
    };
    let admission = attempts.admission(by.at);
    if let Admission::Admitted(_) = admission {
        let counted = attempts.counting_one(by.at);
        set_attempts(connection, id, counted)?;
        if counted.is_locked() {
            append(connection, &NewEvent::once(by, Action::UserLocked, Target::User(id)))?;
        }
    }
    Ok(admission)
}

fn set_attempts(connection: &Connection, id: UserId, attempts: Attempts) -> Result<(), Failure> {
    let params = params![id.get(), attempts.failures(), attempts.next_at().map(micros)];
    connection.prepare_cached(SET_ATTEMPTS)?.execute(params)?;
    Ok(())
}

fn insert(connection: &Connection, new: &NewUser, by: &Actor) -> Result<User, Failure> {
    let NewUser { username, password, role, password_change_due } = new;
    let (folded, at) = (username.folded(), micros(by.at));
    let params = params![username.as_str(), folded, password.expose(), role.as_str(), at, password_change_due];
    let made = rows::first(connection, INSERT, params, rows::user)?;
    let user = made.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    append(connection, &NewEvent::once(by, Action::UserCreated, Target::User(user.id)))?;
    Ok(user)
}

fn refuse_taken(failure: Failure) -> Undone<InsertUserError> {
    if failure.is_unique_violation() {
        Undone::Refused(InsertUserError::UsernameTaken)
    } else {
        Undone::Failed(failure)
    }
}

fn change(
    connection: &Connection,
    id: UserId,
    seen: Option<Version>,
    change: &UserChange,
    by: &Actor,
) -> Result<User, Undone<UserChangeError>> {
    let user = known(connection, id, seen)?;
    if change.ends_administration() {
        keep_an_administrator(connection, &user)?;
    }
    if let Some(session) = change.spared()
        && !rows::exists(connection, IS_OPEN, [session.get(), id.get()])?
    {
        return Err(Undone::Refused(UserChangeError::SessionEnded));
    }
    if let Some(password) = &change.password {
        let until = password.one_time_until;
        let params = params![id.get(), password.hash.expose(), until.is_some(), until.map(micros)];
        connection.prepare_cached(SET_PASSWORD)?.execute(params)?;
    }
    let UserChange { role, status, .. } = change;
    let params = params![id.get(), role.map(Role::as_str), status.map(Status::as_str), micros(by.at)];
    let changed = rows::first(connection, CHANGE, params, rows::user)?;
    for event in change.events(id, by) {
        append(connection, &event)?;
    }
    if change.ends_sessions() {
        end_others(connection, id, change.spared(), by)?;
    }
    changed.ok_or(Undone::Refused(UserChangeError::Unknown))
}

fn known(connection: &Connection, id: UserId, seen: Option<Version>) -> Result<User, Undone<UserChangeError>> {
    let Some(user) = rows::first(connection, FIND, [id.get()], rows::user)? else {
        return Err(Undone::Refused(UserChangeError::Unknown));
    };
    if seen.is_some_and(|seen| seen != user.version) {
        return Err(Undone::Refused(UserChangeError::Stale));
    }
    Ok(user)
}

fn keep_an_administrator(connection: &Connection, leaving: &User) -> Result<(), Undone<UserChangeError>> {
    let administers = leaving.role == Role::Admin && leaving.status == Status::Active;
    if administers && !rows::exists(connection, ANOTHER_ADMINISTRATOR, [leaving.id.get()])? {
        return Err(Undone::Refused(UserChangeError::LastAdministrator));
    }
    Ok(())
}
