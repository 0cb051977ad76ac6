//! The port of the users.

use async_trait::async_trait;
use domain::user::{
    Credentials, InsertUserError, NewUser, PasswordHash, Role, Status, User, UserChange, UserChangeError, UserId,
    UserStore, Username,
};
use domain::{Actor, Cursor, Page, PageSize, StoreError, Version};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, micros, user_columns};
use crate::writer::Undone;

const INSERT: &str = concat!(
    "INSERT INTO users (username, username_folded, password_hash, role, status, version, created_at, updated_at) ",
    "VALUES (?1, ?2, ?3, ?4, 'active', 1, ?5, ?5) RETURNING ",
    user_columns!()
);
const ANY: &str = "SELECT 1 FROM users";
const FIND: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ?1");
const FIND_CREDENTIALS: &str =
    concat!("SELECT ", user_columns!(), ", password_hash FROM users WHERE username_folded = ?1");
const PAGE: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id > ?1 ORDER BY id LIMIT ?2");
const CHANGE: &str = concat!(
    "UPDATE users SET password_hash = coalesce(?2, password_hash), role = coalesce(?3, role), ",
    "status = coalesce(?4, status), version = version + 1, updated_at = ?5 WHERE id = ?1 RETURNING ",
    user_columns!()
);
const UPGRADE_HASH: &str = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
const REMOVE: &str = "DELETE FROM users WHERE id = ?1";
const ANOTHER_ADMINISTRATOR: &str = "SELECT 1 FROM users WHERE role = 'admin' AND status = 'active' AND id <> ?1";

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert(&self, new: NewUser, by: &Actor) -> Result<User, InsertUserError> {
        let at = micros(by.at);
        self.writer.write(move |connection| insert(connection, &new, at).map_err(refuse_taken)).await
    }

    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<User>, StoreError> {
        let at = micros(by.at);
        let insert_first = move |connection: &Connection| {
            if rows::exists(connection, ANY, [])? { Ok(None) } else { Ok(Some(insert(connection, &new, at)?)) }
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
        let at = micros(by.at);
        self.writer.write(move |connection| self::change(connection, id, seen, &change, at)).await
    }

    async fn upgrade_hash(&self, id: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<(), StoreError> {
        let (from, to) = (from.clone(), to.clone());
        let upgrade = move |connection: &Connection| {
            connection.prepare_cached(UPGRADE_HASH)?.execute(params![id.get(), from.expose(), to.expose()])?;
            Ok(())
        };
        self.writer.write(upgrade).await
    }

    async fn remove(&self, id: UserId, seen: Option<Version>, _by: &Actor) -> Result<(), UserChangeError> {
        let remove = move |connection: &Connection| {
            let user = known(connection, id, seen)?;
            keep_an_administrator(connection, &user)?;
            connection.prepare_cached(REMOVE)?.execute([id.get()])?;
            Ok(())
        };
        self.writer.write(remove).await
    }
}

fn insert(connection: &Connection, new: &NewUser, at: i64) -> Result<User, Failure> {
    let NewUser { username, password, role } = new;
    let params = params![username.as_str(), username.folded(), password.expose(), role.as_str(), at];
    let made = rows::first(connection, INSERT, params, rows::user)?;
    made.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
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
    at: i64,
) -> Result<User, Undone<UserChangeError>> {
    let user = known(connection, id, seen)?;
    if change.ends_administration() {
        keep_an_administrator(connection, &user)?;
    }
    let UserChange { password, role, status } = change;
    let password = password.as_ref().map(PasswordHash::expose);
    let params = params![id.get(), password, role.map(Role::as_str), status.map(Status::as_str), at];
    let changed = rows::first(connection, CHANGE, params, rows::user)?;
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
