//! The users' store.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent, Target};
use domain::user::{
    Admission, Credentials, InsertUserError, NewUser, PasswordHash, Role, Status, User, UserChange, UserChangeError,
    UserId, UserStore, Username,
};
use domain::{Actor, Cursor, Page, PageSize, StoreError, Version};
use sqlx::FromRow;
use sqlx::postgres::{PgConnection, PgExecutor};

use crate::PostgresStore;
use crate::attempts::{self, AttemptsRow};
use crate::audit::{append, audited, audited_as, with_event};
use crate::failure::{Damaged, store_error, violates};
use crate::instant::Instant;
use crate::sessions::end_others;

macro_rules! columns {
    () => {
        "id, username, role, active, password_change_due, version, created_at, updated_at"
    };
}
pub(crate) use columns;

macro_rules! insert {
    ($condition:literal) => {
        with_event!(
            concat!(
                "INSERT INTO users (username, username_folded, password_hash, role, password_change_due, active, version, ",
                "created_at, updated_at) SELECT $7, $8, $9, $10, $11, true, 1, $1, $1 ",
                $condition,
                " RETURNING ",
                columns!()
            ),
            "user",
            columns!()
        )
    };
}

const INSERT: &str = insert!("");
const INSERT_FIRST: &str = insert!("WHERE NOT EXISTS (SELECT FROM users)");
const FIND: &str = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
const FIND_CREDENTIALS: &str = concat!(
    "SELECT password_hash, password_expires_at, failed_logins, next_login_at, ",
    columns!(),
    " FROM users WHERE username_folded = $1"
);
const PAGE: &str = concat!("SELECT ", columns!(), " FROM users WHERE id > $1 ORDER BY id LIMIT $2");
const CHANGE: &str = concat!(
    "UPDATE users SET role = COALESCE($2, role), active = COALESCE($3, active), version = version + 1, updated_at = $4, ",
    "password_hash = COALESCE($6, password_hash), ",
    "password_change_due = CASE WHEN $6 IS NULL THEN password_change_due ELSE $7::timestamptz IS NOT NULL END, ",
    "password_expires_at = CASE WHEN $6 IS NULL THEN password_expires_at ELSE $7 END, ",
    "failed_logins = CASE WHEN $6 IS NULL THEN failed_logins ELSE 0 END, ",
    "next_login_at = CASE WHEN $6 IS NULL THEN next_login_at END ",
    "WHERE id = $1 AND ($5::bigint IS NULL OR version = $5) RETURNING ",
    columns!()
);
const UPGRADE_HASH: &str =
    with_event!("UPDATE users SET password_hash = $9 WHERE id = $7 AND password_hash = $8 RETURNING id", "user", "id");
const UNLOCK: &str = with_event!(
    concat!(
        "UPDATE users SET failed_logins = 0, next_login_at = NULL, version = version + 1, updated_at = $1 ",
        "WHERE id = $7 RETURNING ",
        columns!()
    ),
    "user",
    columns!()
);
const IS_OPEN: &str = "SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND user_id = $2)";
const EXISTS: &str = "SELECT EXISTS (SELECT FROM users WHERE id = $1)";
const REMOVE: &str = "DELETE FROM users WHERE id = $1";

/// Held to the end of its transaction by whoever makes the first user.
const LOCK_FIRST_USER: &str = "SELECT pg_advisory_xact_lock(1383033964, 1)";
/// Held to the end of its transaction by whoever may take an active administrator away, so that two such
/// can never count on each other.
const LOCK_ADMINISTRATORS: &str = "SELECT pg_advisory_xact_lock(1383033964, 2)";
/// The user's version, and whether it is the only active administrator. A statement of its own: it must see what
/// was committed before the lock was had.
const STANDING: &str = "SELECT u.version, u.role = 'admin' AND u.active AND NOT EXISTS \
     (SELECT FROM users o WHERE o.role = 'admin' AND o.active AND o.id <> u.id) \
     FROM users u WHERE u.id = $1 FOR UPDATE";

const USERNAME_KEY: &str = "users_username_folded_key";

#[derive(FromRow)]
pub(crate) struct UserRow {
    id: i64,
    username: String,
    role: String,
    active: bool,
    password_change_due: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(FromRow)]
struct CredentialsRow {
    password_hash: String,
    password_expires_at: Option<Instant>,
    #[sqlx(flatten)]
    attempts: AttemptsRow,
    #[sqlx(flatten)]
    user: UserRow,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let damaged = |column| StoreError::failed(Damaged { table: "users", id: row.id, column });
        Ok(Self {
            id: UserId::try_from(row.id).map_err(|_| damaged("id"))?,
            username: row.username.parse().map_err(|_| damaged("username"))?,
            role: row.role.parse().map_err(|_| damaged("role"))?,
            status: if row.active { Status::Active } else { Status::Disabled },
            password_change_due: row.password_change_due,
            version: Version::new(row.version).ok_or_else(|| damaged("version"))?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn insert(
    statement: &'static str,
    new: &NewUser,
    by: &Actor,
    at: impl PgExecutor<'_>,
) -> Result<Option<UserRow>, sqlx::Error> {
    audited_as(statement, by, Action::UserCreated, None)
        .bind(new.username.as_str())
        .bind(new.username.folded())
        .bind(new.password.expose())
        .bind(new.role.as_str())
        .bind(new.password_change_due)
        .fetch_optional(at)
        .await
}

/// `None` where no such user exists, or `seen` is not the version stored now.
async fn change(
    id: UserId,
    seen: Option<Version>,
    change: &UserChange,
    by: &Actor,
    at: impl PgExecutor<'_>,
) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = sqlx::query_as(CHANGE)
        .bind(id.get())
        .bind(change.role.map(Role::as_str))
        .bind(change.status.map(|status| status == Status::Active))
        .bind(by.at)
        .bind(seen.map(Version::get))
        .bind(change.password.as_ref().map(|set| set.hash.expose()))
        .bind(change.password.as_ref().and_then(|set| set.one_time_until))
        .fetch_optional(at)
        .await
        .map_err(store_error)?;
    row.map(User::try_from).transpose()
}

/// Locks the user, who may be taken away until the transaction ends.
async fn lock_dispensable(
    id: UserId,
    seen: Option<Version>,
    transaction: &mut PgConnection,
) -> Result<(), UserChangeError> {
    sqlx::query(LOCK_ADMINISTRATORS).execute(&mut *transaction).await.map_err(store_error)?;
    let standing = sqlx::query_as::<_, (i64, bool)>(STANDING).bind(id.get()).fetch_optional(transaction).await;
    match standing.map_err(store_error)? {
        None => Err(UserChangeError::Unknown),
        Some((version, _)) if seen.is_some_and(|seen| seen.get() != version) => Err(UserChangeError::Stale),
        Some((_, true)) => Err(UserChangeError::LastAdministrator),
        Some((_, false)) => Ok(()),
    }
}

impl PostgresStore {
    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        sqlx::query_scalar(EXISTS).bind(id.get()).fetch_one(&self.pool).await.map_err(store_error)
    }
}

#[async_trait]
impl UserStore for PostgresStore {
    async fn insert(&self, new: NewUser, by: &Actor) -> Result<User, InsertUserError> {
        match insert(INSERT, &new, by, &self.pool).await {
            Ok(Some(row)) => Ok(row.try_into()?),
            Ok(None) => Err(store_error(sqlx::Error::RowNotFound).into()),
            Err(error) if violates(&error, USERNAME_KEY) => Err(InsertUserError::UsernameTaken),
            Err(error) => Err(store_error(error).into()),
        }
    }

    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<User>, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        sqlx::query(LOCK_FIRST_USER).execute(&mut *transaction).await.map_err(store_error)?;
        let row = match insert(INSERT_FIRST, &new, by, &mut *transaction).await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            // An ordinary insert, which takes no lock, was first.
            Err(error) if violates(&error, USERNAME_KEY) => return Ok(None),
            Err(error) => return Err(store_error(error)),
        };
        transaction.commit().await.map_err(store_error)?;
        row.try_into().map(Some)
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row: Option<UserRow> =
            sqlx::query_as(FIND).bind(id.get()).fetch_optional(&self.pool).await.map_err(store_error)?;
        row.map(User::try_from).transpose()
    }

    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let find = sqlx::query_as(FIND_CREDENTIALS).bind(username.folded());
        let row: Option<CredentialsRow> = find.fetch_optional(&self.pool).await.map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Credentials {
            user: row.user.try_into()?,
            password: PasswordHash::new(row.password_hash),
            password_expires_at: row.password_expires_at.map(|at| at.0),
            attempts: row.attempts.into(),
        }))
    }

    async fn page(&self, after: Option<Cursor>, size: PageSize) -> Result<Page<User>, StoreError> {
        let page = sqlx::query_as(PAGE).bind(after.map_or(0, Cursor::position)).bind(i64::from(size.get()) + 1);
        let rows: Vec<UserRow> = page.fetch_all(&self.pool).await.map_err(store_error)?;
        let found = rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
        Ok(Page::from_one_more(found, size))
    }

    async fn change(
        &self,
        id: UserId,
        seen: Option<Version>,
        wanted: UserChange,
        by: &Actor,
    ) -> Result<User, UserChangeError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        if wanted.ends_administration() {
            lock_dispensable(id, seen, &mut transaction).await?;
        }
        let Some(user) = change(id, seen, &wanted, by, &mut *transaction).await? else {
            drop(transaction);
            // Neither answer can turn wrong meanwhile: ids and versions never come back.
            let stale = seen.is_some() && self.user_exists(id).await?;
            return Err(if stale { UserChangeError::Stale } else { UserChangeError::Unknown });
        };
        for event in wanted.events(id, by) {
            append(&event, &mut *transaction).await?;
        }
        if let Some(session) = wanted.spared() {
            // After the user's row is locked, so that whatever ends it later ends it after this.
            let is_open = sqlx::query_scalar(IS_OPEN).bind(session.get()).bind(id.get()).fetch_one(&mut *transaction);
            if !is_open.await.map_err(store_error)? {
                return Err(UserChangeError::SessionEnded);
            }
        }
        let ended = if wanted.ends_sessions() {
            end_others(id, wanted.spared(), by, &mut transaction).await?
        } else {
            Vec::new()
        };
        transaction.commit().await.map_err(store_error)?;
        self.hearing.user_changed(id);
        self.hearing.sessions_ended(&ended);
        Ok(user)
    }

    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let NewEvent { detail, action, .. } = UserChange::hash_upgraded(id, by);
        let upgrade = audited(UPGRADE_HASH, by, action, detail).bind(id.get()).bind(from.expose()).bind(to.expose());
        upgrade.execute(&self.pool).await.map_err(store_error)?;
        Ok(())
    }

    async fn admit_login(&self, id: UserId, by: &Actor) -> Result<Admission, StoreError> {
        attempts::admit(id, by, &self.pool).await
    }

    async fn pretend_to_admit_login(&self) -> Result<(), StoreError> {
        attempts::pretend_to_admit(&self.pool).await
    }

    async fn withdraw_login(&self, id: UserId) -> Result<(), StoreError> {
        attempts::withdraw(id, &self.pool).await
    }

    async fn unlock(&self, id: UserId, by: &Actor) -> Result<User, UserChangeError> {
        let unlock = audited_as(UNLOCK, by, Action::UserUnlocked, None).bind(id.get());
        let row: Option<UserRow> = unlock.fetch_optional(&self.pool).await.map_err(store_error)?;
        self.hearing.user_changed(id);
        Ok(row.ok_or(UserChangeError::Unknown)?.try_into()?)
    }

    async fn remove(&self, id: UserId, seen: Option<Version>, by: &Actor) -> Result<(), UserChangeError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        lock_dispensable(id, seen, &mut transaction).await?;
        let ended = end_others(id, None, by, &mut transaction).await?;
        sqlx::query(REMOVE).bind(id.get()).execute(&mut *transaction).await.map_err(store_error)?;
        append(&NewEvent::once(by, Action::UserRemoved, Target::User(id)), &mut *transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        self.hearing.user_changed(id);
        self.hearing.sessions_ended(&ended);
        Ok(())
    }
}
