//! Counters of consecutive failed logins, updated under a row lock.

use std::sync::atomic::{AtomicI16, Ordering};

use domain::audit::{Action, NewEvent};
use domain::user::{Admission, Attempts};
use domain::{Actor, Kind, StoreError, Target, UserId, UserKind};

use crate::audit::append;
use crate::pool::Pool;
use crate::rows::Columns;

const ATTEMPTS: &str = "SELECT id, failed_logins, next_login_at FROM users WHERE id = $1 FOR UPDATE";
const SET_ATTEMPTS: &str = "UPDATE users SET failed_logins = $2, next_login_at = $3 WHERE id = $1";
const DUMMY: &str =
    "SELECT id::bigint, failed_logins, next_login_at FROM dummy_login_attempts WHERE id = $1 FOR UPDATE";
const SET_DUMMY: &str = "UPDATE dummy_login_attempts SET failed_logins = $2, next_login_at = $3 WHERE id = $1";
/// Number of rows that the migration inserts.
const DUMMIES: i16 = 64;

/// Admits or throttles a login attempt, and counts an admitted one.
pub(crate) async fn admit(id: UserId, by: &Actor, pool: &Pool) -> Result<Admission, StoreError> {
    let count = |attempts: Attempts| attempts.admit(by.at);
    let locked = NewEvent::once(by, Action::USER_LOCKED, Target::of(id));
    let admission = update((ATTEMPTS, SET_ATTEMPTS), id.get(), count, Some(locked), pool).await?;
    Ok(admission.unwrap_or(Ok(1)))
}

/// Takes as long as [`admit`], without a visible effect.
pub(crate) async fn admit_dummy(pool: &Pool) -> Result<(), StoreError> {
    // Round robin, so that concurrent attempts rarely wait for the same row lock.
    static NEXT: AtomicI16 = AtomicI16::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed).rem_euclid(DUMMIES) + 1;
    let count = |_| ((), Some(Attempts::default()));
    update((DUMMY, SET_DUMMY), id.into(), count, None, pool).await?;
    Ok(())
}

/// Withdraws an admitted attempt without a verified password.
pub(crate) async fn withdraw(id: UserId, pool: &Pool) -> Result<(), StoreError> {
    let count = |attempts: Attempts| ((), Some(attempts.without_last()));
    update((ATTEMPTS, SET_ATTEMPTS), id.get(), count, None, pool).await?;
    Ok(())
}

/// Locks and reads the attempts of one row, and writes the attempts that `count` returns, if any.
async fn update<T>(
    (read, write): (&'static str, &'static str),
    id: i64,
    count: impl FnOnce(Attempts) -> (T, Option<Attempts>) + Send,
    event: Option<NewEvent>,
    pool: &Pool,
) -> Result<Option<T>, StoreError> {
    let mut transaction = pool.begin(Some((UserKind::NAME, id))).await?;
    let Some(row) = transaction.fetch_optional(sqlx::query(read).bind(id)).await? else { return Ok(None) };
    let (outcome, counted) = count(Columns::new(&row, "users")?.attempts()?);
    if let Some(counted) = counted {
        let failures = i32::try_from(counted.failures()).unwrap_or(i32::MAX);
        transaction.execute(sqlx::query(write).bind(id).bind(failures).bind(counted.next_at())).await?;
        if let Some(event) = event.filter(|_| counted.is_locked()) {
            append(&event, &mut transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(Some(outcome))
}
