//! Counters of consecutive failed logins, updated under a row lock.

use domain::audit::{Action, NewEvent};
use domain::user::{Account, Admission, Attempts};
use domain::{Actor, StoreError, Target};
use sqlx::Row;

use crate::audit::append;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::pool::{Pool, Written};
use crate::rows::Columns;
use crate::{sessions, users};

const OF_USER: &str = "SELECT id, failed_logins, next_login_at, 0::bigint FROM users WHERE id = $1 FOR UPDATE";
const SET_USER: &str = "UPDATE users SET failed_logins = $2, next_login_at = $3 WHERE id = $1 RETURNING id";
/// The last column is the age: the number of later attempts of unknown accounts.
const OF_UNKNOWN: &str = "SELECT number, failed_logins, next_login_at, \
     (SELECT max(number) FROM unknown_logins) - number FROM unknown_logins WHERE username = $1 FOR UPDATE";
/// The row gets the highest number. Returns no row if another transaction has inserted the username since it was not found.
const SET_UNKNOWN: &str = "INSERT INTO unknown_logins (username, failed_logins, next_login_at) VALUES ($1, $2, $3) \
     ON CONFLICT (username) DO UPDATE SET number = EXCLUDED.number, failed_logins = $2, next_login_at = $3 WHERE $4 \
     RETURNING number";
/// Leaves rows that another transaction counts for or deletes.
const DELETE_OLDEST: &str = "DELETE FROM unknown_logins WHERE username IN (SELECT username FROM unknown_logins \
     WHERE number <= (SELECT number FROM unknown_logins ORDER BY number DESC LIMIT 1 OFFSET $1) FOR UPDATE SKIP LOCKED)";

/// Admits or throttles a login attempt, and counts an admitted one.
pub(crate) async fn admit(account: Account, by: &Actor, pool: &Pool) -> Result<Admission, StoreError> {
    let mut transaction = pool.begin(written(account)).await?;
    loop {
        let stored = lock(account, &mut transaction).await?;
        if stored.is_none() && matches!(account, Account::User(_)) {
            return Ok(Ok(1));
        }
        let (attempts, age) = stored.unwrap_or_default();
        let (admission, changed) = attempts.admit(by.at);
        let Some(changed) = changed.or_else(|| Attempts::is_renewed_at(age).then_some(attempts)) else {
            transaction.commit().await?;
            return Ok(admission);
        };
        if set(account, stored.is_some(), changed, &mut transaction).await? {
            if let Account::User(id) = account
                && changed.is_locked()
            {
                append(&NewEvent::once(by, Action::USER_LOCKED, Target::of(id)), &mut transaction).await?;
            }
            transaction.commit().await?;
            return Ok(admission);
        }
    }
}

/// Withdraws an admitted attempt without a verified password.
pub(crate) async fn withdraw(account: Account, counted: u32, pool: &Pool) -> Result<(), StoreError> {
    let mut transaction = pool.begin(written(account)).await?;
    if let Some((attempts, _)) = lock(account, &mut transaction).await? {
        set(account, true, attempts.without(counted), &mut transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

fn written(account: Account) -> Written {
    match account {
        Account::User(id) => users::key(id),
        Account::Unknown(username) => ("unknown login", Some(sessions::prefix(username.as_bytes()))),
    }
}

/// Locks the row of an account, and reads the attempts and their age.
async fn lock(account: Account, transaction: &mut Connection<'_>) -> Result<Option<(Attempts, i64)>, StoreError> {
    let (table, find) = match &account {
        Account::User(id) => ("users", sqlx::query(OF_USER).bind(id.get())),
        Account::Unknown(username) => ("unknown_logins", sqlx::query(OF_UNKNOWN).bind(&username.as_bytes()[..])),
    };
    let Some(row) = transaction.fetch_optional(find).await? else { return Ok(None) };
    let mut columns = Columns::new(&row, table)?;
    Ok(Some((columns.attempts()?, columns.next("age", Ok::<_, ()>)?)))
}

/// Returns `false` if the row of an unknown account was not found, but exists by now.
async fn set(
    account: Account,
    is_found: bool,
    attempts: Attempts,
    transaction: &mut Connection<'_>,
) -> Result<bool, Failure> {
    let set = match &account {
        Account::User(id) => sqlx::query(SET_USER).bind(id.get()),
        Account::Unknown(username) => sqlx::query(SET_UNKNOWN).bind(&username.as_bytes()[..]),
    };
    let failures = i32::try_from(attempts.failures()).unwrap_or(i32::MAX);
    let set = set.bind(failures).bind(attempts.next_at());
    let set = if let Account::Unknown(_) = account { set.bind(is_found) } else { set };
    let Some(row) = transaction.fetch_optional(set).await? else { return Ok(false) };
    if let Account::Unknown(_) = account
        && Attempts::is_excess_checked_at(row.try_get(0)?)
    {
        let delete = sqlx::query(DELETE_OLDEST).bind(i64::from(Attempts::UNKNOWN_ACCOUNTS));
        transaction.execute(delete).await?;
    }
    Ok(true)
}
