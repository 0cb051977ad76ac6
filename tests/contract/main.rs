//! Every case of every store port's contract, on every adapter, each on an empty database of its own.
//!
//! A test is called `adapter::port::rule`, so a broken contract names who broke it.

#![expect(clippy::expect_used, reason = "a case whose store cannot be opened panics")]

use std::process::ExitCode;
use std::sync::Arc;

use adapter_postgres::{Options, PostgresStore};
use adapter_sqlite::SqliteStore;
use async_trait::async_trait;
use domain::contract::{AUDIT_LOG, BEARERS, Case, LOGIN_ATTEMPTS, SESSION_STORE, STUDENT_STORE, Stores, USER_STORE};
use libtest_mimic::{Arguments, Trial};
use tests::database::{PostgresDatabase, SqliteDatabase};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    // Every adapter of the stores stands in this list, and nowhere else.
    let trials = [trials::<SqliteStore>(), trials::<PostgresStore>()].into_iter().flatten();
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// An adapter of every store port, which can be opened on an empty database.
#[async_trait]
trait Adapter: Stores + Sized + 'static {
    const NAME: &'static str;
    /// Keeps the database until the case is over.
    type Database;

    fn create() -> Self::Database;
    async fn on(database: &Self::Database) -> Self;
}

#[async_trait]
impl Adapter for SqliteStore {
    const NAME: &'static str = "sqlite";
    type Database = SqliteDatabase;

    fn create() -> SqliteDatabase {
        SqliteDatabase::create()
    }

    async fn on(database: &SqliteDatabase) -> Self {
        Self::open(&database.path()).expect("an open store")
    }
}

#[async_trait]
impl Adapter for PostgresStore {
    const NAME: &'static str = "postgres";
    type Database = PostgresDatabase;

    fn create() -> PostgresDatabase {
        PostgresDatabase::create()
    }

    async fn on(database: &PostgresDatabase) -> Self {
        Self::connect(Options::new(database.url())).await.expect("an open store")
    }
}

fn trials<A: Adapter>() -> Vec<Trial> {
    let students = STUDENT_STORE.iter().map(|case| trial::<A, _>("student_store", case, |store| store));
    let users = USER_STORE.iter().chain(LOGIN_ATTEMPTS).map(|case| trial::<A, _>("user_store", case, |store| store));
    let sessions = SESSION_STORE.iter().map(|case| trial::<A, _>("session_store", case, |store| store));
    let bearers = BEARERS.iter().map(|case| trial::<A, _>("bearers", case, |store| store));
    let audit = AUDIT_LOG.iter().map(|case| trial::<A, _>("audit_log", case, |store| store));
    students.chain(users).chain(sessions).chain(bearers).chain(audit).collect()
}

fn trial<A: Adapter, P: ?Sized>(port: &str, case: &'static Case<P>, as_port: fn(Arc<A>) -> Arc<P>) -> Trial {
    Trial::test(format!("{}::{port}::{}", A::NAME, case.name), move || {
        let database = A::create();
        let runtime = Runtime::new()?;
        runtime.block_on(async {
            let store = A::on(&database).await;
            (case.run)(as_port(Arc::new(store))).await;
        });
        Ok(())
    })
}
