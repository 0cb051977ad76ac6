//! The table of users, and the credential port.

use async_trait::async_trait;
use domain::access::Role;
use domain::audit::{Action, NewEvent};
use domain::record::{Record, RecordError, RecordResult};
use domain::user::{
    Account, Admission, CredentialStore, Credentials, NewUser, PasswordHash, Status, User, UserConflict, UserFilter,
    UserUpdate, Username,
};
use domain::{Actor, StoreError, Target, UserId, Version};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::attempts;
use crate::audit::append;
use crate::errors::Failure;
use crate::records::{self, Written, update_row};
use crate::rows::{self, Columns, attempts_columns, micros};
use crate::sessions::end_others;
use crate::table::{Assignments, Conditions, Sql, Table, sql};
use crate::writer::TxError;

/// The columns of a user that are not common to all tables.
macro_rules! user_columns {
    () => {
        "username, role, status, password_change_due"
    };
}
pub(crate) use user_columns;

const FIND_CREDENTIALS: &str = concat!(
    "SELECT id, ",
    user_columns!(),
    ", version, created_at, updated_at, password_hash, password_expires_at, ",
    attempts_columns!(),
    " FROM users WHERE username_folded IN (?1, ?2) ORDER BY username_folded = ?1 DESC LIMIT 1"
);
const ANY: &str = "SELECT 1 FROM users";
const IS_OPEN: &str = "SELECT 1 FROM sessions WHERE id = ?1 AND user_id = ?2";
const UPGRADE_HASH: &str = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
const ANOTHER_ADMINISTRATOR: &str =
    "SELECT 1 FROM users WHERE role = 'admin' AND status = 'active' AND NOT password_change_due AND id <> ?1";

impl Table for User {
    const SQL: Sql = sql!("users", user_columns!());

    fn insert(new: NewUser) -> Assignments {
        let NewUser { username, password, role, one_time_until } = new;
        Assignments::default()
            .set("username", Some(username.to_string()))
            .set("username_folded", Some(username.key().to_owned()))
            .set("password_hash", Some(password.expose().to_owned()))
            .set("role", Some(role.as_str().to_owned()))
            .set("status", Some(Status::Active.as_str().to_owned()))
            .set("password_change_due", Some(one_time_until.is_some()))
            .set("password_expires_at", Some(one_time_until.map(micros)))
    }

    fn update(change: &UserUpdate) -> Assignments {
        let password = change.password.as_ref();
        Assignments::default()
            .set("role", change.role.map(|role| role.as_str().to_owned()))
            .set("status", change.status.map(|status| status.as_str().to_owned()))
            .set("password_hash", password.map(|set| set.hash.expose().to_owned()))
            .set("password_change_due", password.map(|set| set.one_time_until.is_some()))
            .set("password_expires_at", password.map(|set| set.one_time_until.map(micros)))
            .set("failed_logins", password.map(|_| 0))
            .set("next_login_at", password.map(|_| None::<i64>))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure> {
        Ok(Self {
            username: columns.text("username")?,
            role: columns.next("role", |role: String| role.parse())?,
            status: columns.next("status", |status: String| status.parse())?,
            password_change_due: columns.next("password_change_due", Ok::<bool, &str>)?,
        })
    }

    fn conflict(column: &str) -> Option<UserConflict> {
        (column == "username_folded").then_some(UserConflict::UsernameTaken)
    }

    fn conditions(filter: &UserFilter) -> Conditions {
        Conditions::default()
            .one_of("username_folded", filter.username.as_ref().map(Username::keys))
            .equals("role", filter.role.map(|role| role.as_str().to_owned()))
            .equals("status", filter.status.map(|status| status.as_str().to_owned()))
    }

    fn sort_expression(key: &'static str) -> &'static str {
        if key == "username" { "username_folded" } else { key }
    }

    fn write_update(
        connection: &Connection,
        id: UserId,
        expected: Option<Version>,
        change: &UserUpdate,
        by: &Actor,
    ) -> Written<Self> {
        let user = find_current(connection, id, expected)?;
        if change.ends_administration() {
            require_another_administrator(connection, &user)?;
        }
        if let Some(session) = change.kept_session()
            && !rows::exists(connection, IS_OPEN, [session.get(), id.get()])?
        {
            return Err(rejected(UserConflict::SessionEnded));
        }
        let updated = update_row(connection, id, expected, User::update(change), by)?;
        for event in change.events(id, by) {
            append(connection, &event)?;
        }
        if change.ends_sessions() {
            end_others(connection, id, change.kept_session(), by)?;
        }
        Ok(updated)
    }

    fn write_delete(connection: &Connection, id: UserId, expected: Option<Version>, by: &Actor) -> Written<Self, ()> {
        require_another_administrator(connection, &find_current(connection, id, expected)?)?;
        end_others(connection, id, None, by)?;
        records::delete::<Self>(connection, id, None, by)
    }
}

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<Record<User>>, StoreError> {
        let by = by.clone();
        let insert_first = move |connection: &Connection| {
            if rows::exists(connection, ANY, [])? {
                return Ok(None);
            }
            records::insert(connection, new, &by).map(Some)
        };
        self.writer.write(insert_first).await.map_err(|error: RecordError<User>| match error {
            RecordError::Store(error) => error,
            rule => StoreError::failed(rule.to_string()),
        })
    }

    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let keys = username.keys();
        let find = |connection: &Connection| rows::first(connection, FIND_CREDENTIALS, keys, rows::credentials);
        Ok(self.points.with(find)?)
    }

    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let (from, to, by) = (from.clone(), to.clone(), by.clone());
        let upgrade = move |connection: &Connection| -> Result<(), TxError<StoreError>> {
            let params = params![id.get(), from.expose(), to.expose()];
            if connection.prepare_cached(UPGRADE_HASH)?.execute(params)? > 0 {
                append(connection, &UserUpdate::hash_upgraded(id, &by))?;
            }
            Ok(())
        };
        self.writer.write(upgrade).await
    }

    async fn admit_login(&self, account: Account, by: &Actor) -> Result<Admission, StoreError> {
        let by = by.clone();
        self.writer.write(move |connection| Ok::<_, TxError<_>>(attempts::admit(connection, account, &by)?)).await
    }

    async fn withdraw_login(&self, account: Account, counted: u32) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| Ok::<_, TxError<_>>(attempts::withdraw(connection, account, counted)?))
            .await
    }

    async fn unlock(&self, id: UserId, by: &Actor) -> RecordResult<User> {
        let by = by.clone();
        let unlock = move |connection: &Connection| {
            let cleared = Assignments::default().set("failed_logins", Some(0)).set("next_login_at", Some(None::<i64>));
            let user = update_row(connection, id, None, cleared, &by)?;
            append(connection, &NewEvent::once(&by, Action::USER_UNLOCKED, Target::of(id)))?;
            Ok(user)
        };
        self.writer.write(unlock).await
    }
}

fn find_current(connection: &Connection, id: UserId, expected: Option<Version>) -> Written<User> {
    let found = rows::first(connection, User::SQL.find, [id.get()], rows::record)?;
    let user: Record<User> = found.ok_or(TxError::Rejected(RecordError::NotFound))?;
    if expected.is_some_and(|expected| expected != user.version) {
        return Err(TxError::Rejected(RecordError::Stale));
    }
    Ok(user)
}

fn require_another_administrator(connection: &Connection, leaving: &Record<User>) -> Written<User, ()> {
    let administers = leaving.role == Role::Admin && leaving.status == Status::Active;
    if administers && !rows::exists(connection, ANOTHER_ADMINISTRATOR, [leaving.id.get()])? {
        return Err(rejected(UserConflict::LastAdministrator));
    }
    Ok(())
}

const fn rejected(conflict: UserConflict) -> TxError<RecordError<User>> {
    TxError::Rejected(RecordError::Rejected(conflict))
}
