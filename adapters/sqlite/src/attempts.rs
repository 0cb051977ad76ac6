//! Counters of consecutive failed logins.

use domain::audit::{Action, NewEvent};
use domain::user::{Account, Admission, Attempts};
use domain::{Actor, Target};
use rusqlite::{Connection, Row, params};

use crate::audit::append;
use crate::errors::Failure;
use crate::rows::{self, attempts_columns, micros};

const OF_USER: &str = concat!("SELECT id, ", attempts_columns!(), ", 0 FROM users WHERE id = ?1");
const SET_USER: &str = "UPDATE users SET failed_logins = ?2, next_login_at = ?3 WHERE id = ?1";
/// The last column is the age: the number of later attempts of unknown accounts.
const OF_UNKNOWN: &str = concat!(
    "SELECT number, ",
    attempts_columns!(),
    ", (SELECT max(number) FROM unknown_logins) - number FROM unknown_logins WHERE username = ?1"
);
/// The row gets the highest number.
const SET_UNKNOWN: &str =
    "INSERT OR REPLACE INTO unknown_logins (username, failed_logins, next_login_at) VALUES (?1, ?2, ?3)";
const DELETE_OLDEST: &str = "DELETE FROM unknown_logins WHERE number <= \
     (SELECT number FROM unknown_logins ORDER BY number DESC LIMIT 1 OFFSET ?1)";

/// Admits or throttles a login attempt, and counts an admitted one.
pub fn admit(connection: &Connection, account: Account, by: &Actor) -> Result<Admission, Failure> {
    let stored = find(connection, account)?;
    if stored.is_none() && matches!(account, Account::User(_)) {
        return Ok(Ok(1));
    }
    let (attempts, age) = stored.unwrap_or_default();
    let (admission, changed) = attempts.admit(by.at);
    if let Some(changed) = changed.or_else(|| Attempts::is_renewed_at(age).then_some(attempts)) {
        set(connection, account, changed)?;
        if let Account::User(id) = account
            && changed.is_locked()
        {
            append(connection, &NewEvent::once(by, Action::USER_LOCKED, Target::of(id)))?;
        }
    }
    Ok(admission)
}

/// Withdraws an admitted attempt without a verified password.
pub fn withdraw(connection: &Connection, account: Account, counted: u32) -> Result<(), Failure> {
    find(connection, account)?.map_or(Ok(()), |(attempts, _)| set(connection, account, attempts.without(counted)))
}

/// The attempts and their age.
fn find(connection: &Connection, account: Account) -> Result<Option<(Attempts, i64)>, Failure> {
    let read = |row: &Row<'_>| Ok((rows::attempts(row)?, row.get(3)?));
    match account {
        Account::User(id) => rows::first(connection, OF_USER, [id.get()], read),
        Account::Unknown(username) => rows::first(connection, OF_UNKNOWN, [username.as_bytes()], read),
    }
}

fn set(connection: &Connection, account: Account, attempts: Attempts) -> Result<(), Failure> {
    let (failures, next_at) = (attempts.failures(), attempts.next_at().map(micros));
    match account {
        Account::User(id) => {
            connection.prepare_cached(SET_USER)?.execute(params![id.get(), failures, next_at])?;
        }
        Account::Unknown(username) => {
            connection.prepare_cached(SET_UNKNOWN)?.execute(params![username.as_bytes(), failures, next_at])?;
            if Attempts::is_excess_checked_at(connection.last_insert_rowid()) {
                connection.prepare_cached(DELETE_OLDEST)?.execute([Attempts::UNKNOWN_ACCOUNTS])?;
            }
        }
    }
    Ok(())
}
