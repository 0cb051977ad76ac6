//! Tests of the PostgreSQL adapter beyond the contracts of the ports: opening, several nodes and failures.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod opening;
mod running;

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
