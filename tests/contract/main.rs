//! Runs every contract case of every store port on every adapter, each on a new database.
//!
//! A test is named `adapter::port::rule`.

#![expect(clippy::expect_used, reason = "a case whose store cannot be opened panics")]

mod release_1_0;

use std::process::ExitCode;
use std::sync::Arc;

use adapter_postgres::{Options, PostgresStore};
use adapter_sqlite::SqliteStore;
use async_trait::async_trait;
use domain::Kind;
use domain::contract::{
    AUDIT_EVENTS, AUDIT_LOG, AuditedStore, CHANGE_FEED, CREDENTIAL_STORE, Case, EXPORTS, LOGIN_ATTEMPTS, NAME_SEARCH,
    REFRESHES, SESSION_LOOKUP, SESSION_STORE, STUDENTS, Stores, USERS, record_contract,
};
use domain::record::{RecordStore, Sample};
use domain::student::NameIndex;
use libtest_mimic::{Arguments, Trial};
use rusqlite::Connection;
use tests::database::{PostgresDatabase, SqliteDatabase};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    // The only list of store adapters.
    let trials = [trials::<SqliteStore>(), trials::<PostgresStore>()];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
}

/// Generates the trials of the record port for every resource.
macro_rules! record_trials {
    ($($records:ident: $resource:ty,)+) => {
        /// The record port of every resource.
        trait RecordStores: $(RecordStore<$resource> +)+ {}

        impl<S> RecordStores for S where S: $(RecordStore<$resource> +)+ {}

        fn trials_of_all_records<A: Adapter>() -> Vec<Trial> {
            [$(trials_of_records::<A, $resource>()),+].into_iter().flatten().collect()
        }
    };
}

domain::resources!(record_trials);

/// An adapter of every store port.
#[async_trait]
trait Adapter: Stores + RecordStores + NameIndex + Sized + 'static {
    const NAME: &'static str;
    /// The database, dropped after the case.
    type Database;

    fn create() -> Self::Database;
    async fn on(database: &Self::Database) -> Self;
    /// Runs one statement in the database, as another program.
    async fn execute(database: &Self::Database, sql: &str);
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

    async fn execute(database: &SqliteDatabase, sql: &str) {
        let connection = Connection::open(database.path()).expect("a connection");
        connection.execute_batch(sql).expect("the statement succeeds");
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

    async fn execute(database: &PostgresDatabase, sql: &str) {
        database.execute(sql).await;
    }
}

fn trials<A: Adapter>() -> Vec<Trial> {
    let students = [STUDENTS, NAME_SEARCH, EXPORTS]
        .into_iter()
        .flatten()
        .map(|case| trial::<A, _>("record_store_of_student", case, |store| store));
    let others = [
        ("record_store_of_user", USERS),
        ("credential_store", CREDENTIAL_STORE),
        ("credential_store", LOGIN_ATTEMPTS),
        ("session_store", SESSION_STORE),
        ("session_store", REFRESHES),
        ("session_lookup", SESSION_LOOKUP),
        ("audit_log", AUDIT_LOG),
        ("audit_log", AUDIT_EVENTS),
        ("change_feed", CHANGE_FEED),
    ];
    let others = others
        .into_iter()
        .flat_map(|(port, cases)| cases.iter().map(move |case| trial::<A, _>(port, case, |store| store)));
    let rolling = release_1_0::trials::<A>();
    trials_of_all_records::<A>().into_iter().chain(students).chain(others).chain(rolling).collect()
}

/// The record cases, which are the same for every resource.
fn trials_of_records<A: Adapter + RecordStore<R>, R: Sample>() -> Vec<Trial> {
    let port = format!("record_store_of_{}", R::Kind::NAME);
    let cases: Vec<Case<dyn AuditedStore<R>>> = record_contract();
    cases.iter().map(|case| trial::<A, _>(&port, case, |store| store)).collect()
}

fn trial<A: Adapter, P: ?Sized + 'static>(port: &str, case: &Case<P>, as_port: fn(Arc<A>) -> Arc<P>) -> Trial {
    let run = case.run;
    Trial::test(format!("{}::{port}::{}", A::NAME, case.name), move || {
        let database = A::create();
        let runtime = Runtime::new()?;
        runtime.block_on(async {
            let store = A::on(&database).await;
            run(as_port(Arc::new(store))).await;
        });
        Ok(())
    })
}
