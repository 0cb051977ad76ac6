//! The table of users, and the credential port.

use async_trait::async_trait;
use domain::access::Role;
use domain::audit::{Action, NewEvent};
use domain::record::{Record, RecordError, RecordResult};
use domain::user::{
    Account, Admission, CredentialStore, Credentials, NewUser, PasswordHash, Status, User, UserConflict, UserFilter,
    UserUpdate, Username,
};
use domain::{Actor, Kind, StoreError, Target, UserId, UserKind, Version};
use sqlx::{AssertSqlSafe, FromRow, Row};

use crate::PostgresStore;
use crate::attempts;
use crate::audit::{append, audited, with_event};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::pool::Written;
use crate::records::{self, rejected, unmatched, update_statement};
use crate::rows::{self, Columns};
use crate::sessions::end_others;
use crate::table::{Assignments, Conditions, Sql, Table, sql};

/// The columns of a user that are not common to all tables.
macro_rules! user_columns {
    () => {
        "username, role, active, password_change_due"
    };
}
pub(crate) use user_columns;

const FIND_CREDENTIALS: &str = concat!(
    "SELECT id, ",
    user_columns!(),
    ", version, created_at, updated_at, password_hash, password_expires_at, failed_logins, next_login_at ",
    "FROM users WHERE username_folded IN ($1, $2) ORDER BY username_folded = $1 DESC LIMIT 1"
);
const UPGRADE_HASH: &str = "UPDATE users SET password_hash = $9 WHERE id = $7 AND password_hash = $8 RETURNING id";
const IS_OPEN: &str = "SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND user_id = $2)";

/// Held until the end of the transaction that inserts the first user.
const LOCK_FIRST_USER: &str = "SELECT pg_advisory_xact_lock(1383033964, 1)";
/// Held until the end of a transaction that may remove an active administrator: two concurrent ones could remove both.
const LOCK_ADMINISTRATORS: &str = "SELECT pg_advisory_xact_lock(1383033964, 2)";
/// The user's version, and whether it is an active administrator without another one whose password change is not due. A separate
/// statement, so that it sees what was
/// committed before the lock was granted.
const LOCK_USER: &str = "SELECT u.version, u.role = 'admin' AND u.active AND NOT EXISTS \
     (SELECT FROM users o WHERE o.role = 'admin' AND o.active AND NOT o.password_change_due AND o.id <> u.id) \
     FROM users u WHERE u.id = $1 FOR UPDATE";
const DELETE: &str = "DELETE FROM users WHERE id = $1";

impl Table for User {
    const SQL: Sql = sql!("users", user_columns!());

    fn insert(new: NewUser) -> Assignments {
        let NewUser { username, password, role, one_time_until } = new;
        Assignments::default()
            .set("username", Some(username.to_string()))
            .set("username_folded", Some(username.key().to_owned()))
            .set("password_hash", Some(password.expose().to_owned()))
            .set("role", Some(role.as_str()))
            .set("active", Some(true))
            .set("password_change_due", Some(one_time_until.is_some()))
            .set("password_expires_at", Some(one_time_until))
    }

    fn update(change: &UserUpdate) -> Assignments {
        let password = change.password.as_ref();
        Assignments::default()
            .set("role", change.role.map(Role::as_str))
            .set("active", change.status.map(|status| status == Status::Active))
            .set("password_hash", password.map(|set| set.hash.expose().to_owned()))
            .set("password_change_due", password.map(|set| set.one_time_until.is_some()))
            .set("password_expires_at", password.map(|set| set.one_time_until))
            .set("failed_logins", password.map(|_| 0_i32))
            .set("next_login_at", password.map(|_| None::<time::OffsetDateTime>))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        let status = |active| Ok::<_, ()>(if active { Status::Active } else { Status::Disabled });
        Ok(Self {
            username: columns.text("username")?,
            role: columns.next("role", |role: String| role.parse())?,
            status: columns.next("active", status)?,
            password_change_due: columns.next("password_change_due", Ok::<bool, ()>)?,
        })
    }

    fn conflict(constraint: &str) -> Option<UserConflict> {
        (constraint == "users_username_folded_key").then_some(UserConflict::UsernameTaken)
    }

    fn conditions(filter: &UserFilter) -> Conditions {
        Conditions::default()
            .one_of("username_folded", filter.username.as_ref().map(Username::keys))
            .equals("role", filter.role.map(Role::as_str))
            .equals("active", filter.status.map(|status| status == Status::Active))
    }

    fn sort_expression(key: &'static str) -> &'static str {
        if key == "username" { "username_folded" } else { key }
    }

    async fn write_update(
        store: &PostgresStore,
        id: UserId,
        expected: Option<Version>,
        change: &UserUpdate,
        by: &Actor,
    ) -> RecordResult<Self> {
        let mut transaction = store.pool.begin(key(id)).await?;
        if change.ends_administration() {
            lock_unless_last_administrator(id, expected, &mut transaction).await?;
        }
        let Some(user) = update_row(id, expected, Self::update(change), by, &mut transaction).await? else {
            drop(transaction);
            return Err(unmatched(store, id, expected).await);
        };
        for event in change.events(id, by) {
            append(&event, &mut transaction).await?;
        }
        if let Some(session) = change.kept_session() {
            // Checked after locking the user's row, so that a session that ends later ends after this change.
            let is_open = sqlx::query(IS_OPEN).bind(session.get()).bind(id.get());
            if !transaction.fetch_one(is_open).await?.try_get(0).map_err(Failure::from)? {
                return Err(RecordError::Rejected(UserConflict::SessionEnded));
            }
        }
        let ended = if change.ends_sessions() {
            end_others(id, change.kept_session(), by, &mut transaction).await?
        } else {
            Vec::new()
        };
        transaction.commit().await?;
        store.invalidations.user_changed(id);
        store.invalidations.sessions_ended(&ended);
        Ok(user)
    }

    async fn write_delete(
        store: &PostgresStore,
        id: UserId,
        expected: Option<Version>,
        by: &Actor,
    ) -> RecordResult<Self, ()> {
        let mut transaction = store.pool.begin(key(id)).await?;
        lock_unless_last_administrator(id, expected, &mut transaction).await?;
        let ended = end_others(id, None, by, &mut transaction).await?;
        transaction.execute(sqlx::query(DELETE).bind(id.get())).await?;
        let deleted = NewEvent::once(by, Action::deleted::<UserKind>(), Target::of(id));
        append(&deleted, &mut transaction).await?;
        transaction.commit().await?;
        store.invalidations.user_changed(id);
        store.invalidations.sessions_ended(&ended);
        Ok(())
    }
}

/// The record for [`Pool::begin`](crate::pool::Pool::begin).
pub(crate) const fn key(id: UserId) -> Written {
    (UserKind::NAME, Some(id.get()))
}

/// Updates a user without an event. Returns `None` if no row matches.
async fn update_row(
    id: UserId,
    expected: Option<Version>,
    set: Assignments,
    by: &Actor,
    connection: &mut Connection<'_>,
) -> RecordResult<User, Option<Record<User>>> {
    let update = sqlx::query(AssertSqlSafe(update_statement::<User>(&set, 1)));
    let update = set.bind(update.bind(id.get()).bind(expected.map(Version::get)).bind(by.at));
    let row = connection.fetch_optional(update).await.map_err(rejected)?;
    Ok(row.as_ref().map(rows::record).transpose()?)
}

/// Locks the user until the transaction ends. Fails if it is the last active administrator.
async fn lock_unless_last_administrator(
    id: UserId,
    expected: Option<Version>,
    transaction: &mut Connection<'_>,
) -> RecordResult<User, ()> {
    transaction.execute(sqlx::query(LOCK_ADMINISTRATORS)).await?;
    let locked = transaction.fetch_optional(sqlx::query(LOCK_USER).bind(id.get())).await?;
    let locked = locked.ok_or(RecordError::NotFound)?;
    let (version, is_last): (i64, bool) = FromRow::from_row(&locked).map_err(Failure::from)?;
    if expected.is_some_and(|expected| expected.get() != version) {
        return Err(RecordError::Stale);
    }
    if is_last { Err(RecordError::Rejected(UserConflict::LastAdministrator)) } else { Ok(()) }
}

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<Record<User>>, StoreError> {
        let mut transaction = self.pool.begin((UserKind::NAME, None)).await?;
        transaction.execute(sqlx::query(LOCK_FIRST_USER)).await?;
        let inserted = records::insert::<User>(new, "WHERE NOT EXISTS (SELECT FROM users)", by, &mut transaction).await;
        let user = match inserted {
            Ok(Some(user)) => user,
            Err(RecordError::Store(error)) => return Err(error),
            // A user exists, or an ordinary insert, which does not lock, was faster.
            Ok(None) | Err(_) => return Ok(None),
        };
        transaction.commit().await?;
        Ok(Some(user))
    }

    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let [preferred, other] = username.keys();
        let find = sqlx::query(FIND_CREDENTIALS).bind(preferred).bind(other);
        let Some(row) = self.pool.read().await?.fetch_optional(find).await? else { return Ok(None) };
        let mut columns = Columns::new(&row, "users")?;
        Ok(Some(Credentials {
            user: columns.record()?,
            password: columns.next("password_hash", |phc| Ok::<_, ()>(PasswordHash::new(phc)))?,
            password_expires_at: columns.time_if_any("password_expires_at")?,
            attempts: columns.attempts()?,
        }))
    }

    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let NewEvent { detail, action, .. } = UserUpdate::hash_upgraded(id, by);
        let upgrade = audited(with_event::<UserKind>(UPGRADE_HASH, "id"), by, &action, detail);
        let upgrade = upgrade.bind(id.get()).bind(from.expose().to_owned()).bind(to.expose().to_owned());
        self.pool.write(key(id)).await?.execute(upgrade).await?;
        Ok(())
    }

    async fn admit_login(&self, account: Account, by: &Actor) -> Result<Admission, StoreError> {
        attempts::admit(account, by, &self.pool).await
    }

    async fn withdraw_login(&self, account: Account, counted: u32) -> Result<(), StoreError> {
        attempts::withdraw(account, counted, &self.pool).await
    }

    async fn unlock(&self, id: UserId, by: &Actor) -> RecordResult<User> {
        let mut transaction = self.pool.begin(key(id)).await?;
        let cleared = Assignments::default()
            .set("failed_logins", Some(0_i32))
            .set("next_login_at", Some(None::<time::OffsetDateTime>));
        let user = update_row(id, None, cleared, by, &mut transaction).await?.ok_or(RecordError::NotFound)?;
        append(&NewEvent::once(by, Action::USER_UNLOCKED, Target::of(id)), &mut transaction).await?;
        transaction.commit().await?;
        self.invalidations.user_changed(id);
        Ok(user)
    }
}
