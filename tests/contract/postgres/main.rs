//! Tests of the PostgreSQL adapter beyond the contracts of the ports: opening, several nodes and failures.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod availability;
mod changes;
mod opening;
mod running;
mod search;

use std::num::NonZeroUsize;

use adapter_postgres::{Options, PostgresStore};
use domain::access::Role;
use domain::record::{Record, RecordStore, Sample};
use domain::student::{RollNumber, Student, StudentId, StudentName};
use domain::user::{NewUser, PasswordHash, User};
use domain::{Actor, ActorId, StoreError, Text};
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use tests::database::PostgresDatabase;
use time::macros::datetime;

static BY: Actor = Actor::here(ActorId::Operator, datetime!(2026-11-23 12:00 UTC));

async fn open(database: &PostgresDatabase) -> PostgresStore {
    PostgresStore::connect(Options::new(database.url())).await.unwrap()
}

async fn connection(database: &PostgresDatabase) -> PgConnection {
    PgConnection::connect(&database.url()).await.unwrap()
}

async fn run(database: &PostgresDatabase, sql: impl Into<String>) -> Result<(), sqlx::Error> {
    raw_sql(AssertSqlSafe(sql.into())).execute(&mut connection(database).await).await.map(drop)
}

fn fields(name: &str, roll_no: i64) -> Student {
    Student {
        name: StudentName::parse(name).unwrap(),
        roll_no: RollNumber::parse(roll_no).unwrap(),
        external_id: None,
        ..Student::sample(1)
    }
}

async fn create(store: &PostgresStore, name: &str, roll_no: i64) -> Record<Student> {
    RecordStore::<Student>::insert(store, fields(name, roll_no), &BY).await.unwrap()
}

async fn create_user(store: &PostgresStore, name: &str, role: Role) -> Record<User> {
    let password = PasswordHash::new("one".to_owned());
    let new = NewUser { username: name.parse().unwrap(), password, role, one_time_until: None };
    RecordStore::<User>::insert(store, new, &BY).await.unwrap()
}

async fn find(store: &PostgresStore, id: i64) -> Result<Option<Record<Student>>, StoreError> {
    RecordStore::<Student>::find(store, StudentId::try_from(id).unwrap()).await
}

/// Opens a store whose requests share this number of connections.
async fn open_with(connections: usize, url: &str) -> PostgresStore {
    let pool_size = NonZeroUsize::new(connections).unwrap();
    PostgresStore::connect(Options { pool_size, ..Options::new(url) }).await.unwrap()
}

/// Lets each query of the table of students take a minute.
async fn slow_down_students(database: &PostgresDatabase) {
    run(database, "ALTER TABLE students RENAME TO stored").await.unwrap();
    run(database, "CREATE VIEW students AS SELECT stored.* FROM stored, pg_sleep(60)").await.unwrap();
}

/// Number of statements of the stores that wait for a lock.
async fn waiting(watcher: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'rollbook' AND wait_event_type = 'Lock'";
    sqlx::query_scalar(count).fetch_one(watcher).await.unwrap()
}

/// Number of statements of the stores that sleep.
async fn sleeping(watcher: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'rollbook' AND wait_event = 'PgSleep'";
    sqlx::query_scalar(count).fetch_one(watcher).await.unwrap()
}

/// Ends every session of the stores.
async fn terminate_connections(database: &PostgresDatabase) {
    let terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'rollbook'";
    run(database, terminate).await.unwrap();
}
