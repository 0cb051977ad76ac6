//! What a store can do while a part of the database is locked, slow, read-only or away.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use adapter_postgres::PostgresStore;
use domain::access::Role;
use domain::record::{RecordError, RecordStore};
use domain::session::{InvalidationFeed, InvalidationListener};
use domain::student::{NamePart, Student, StudentFilter};
use domain::user::{Account, CredentialStore, Status, User, UserFilter, UserUpdate, UsernameDigest};
use domain::{PageRequest, Probe, SessionId, StoreError, UserId};
use futures_util::future::join_all;
use sqlx::{Connection, raw_sql};
use tests::database::PostgresDatabase;
use tests::postgres_proxy::PostgresProxy;
use tokio::time::{sleep, timeout};

use super::{
    BY, connection, create, create_user, fields, find, open, open_with, run, sleeping, slow_down_students,
    terminate_connections, waiting,
};

/// Maximum time that a test waits for a state.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);

struct NoCache;

impl InvalidationListener for NoCache {
    fn user_changed(&self, _: UserId) {}

    fn session_ended(&self, _: SessionId) {}

    fn anything_changed(&self) {}
}

/// Starts the invalidation feed, as `serve` does, and waits until it has observed the server.
async fn observe(store: &PostgresStore) {
    store.subscribe(Arc::new(NoCache));
    until(async || store.is_current().unwrap()).await;
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let met = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(STEP_TIMEOUT, met).await.is_ok(), "the state was not reached");
}

/// The cause of the error.
#[track_caller]
fn unavailable<T: fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unavailable(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn readiness_follows_a_database_that_is_set_to_read_only() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    let set_read_only = |value: &str| {
        format!(
            "SET transaction_read_only = off; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET \
             default_transaction_read_only = {value}', current_database()); END $$"
        )
    };
    observe(&store).await;
    store.ready().await.unwrap();
    // The session of the feed keeps its default.
    run(&database, set_read_only("on")).await.unwrap();
    let inserted = RecordStore::<Student>::insert(&store, fields("Asha", 7), &BY).await;
    assert!(matches!(inserted, Err(RecordError::Store(StoreError::Unavailable(_)))), "{inserted:?}");
    until(async || store.ready().await.is_err()).await;
    run(&database, set_read_only("off")).await.unwrap();
    until(async || store.ready().await.is_ok()).await;
    create(&store, "Asha", 7).await;
}

#[tokio::test]
async fn busy_pool_is_ready() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    observe(&store).await;
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("LOCK TABLE students").execute(&mut *transaction).await.unwrap();
    let mut found = pin!(find(&store, 1));
    tokio::select! {
        biased;
        _ = &mut found => unreachable!("the table is locked"),
        () = async { while waiting(&mut watcher).await < 1 {} } => {}
    }
    store.ready().await.unwrap();
    assert!(matches!(found.await, Err(StoreError::Unavailable(_))));
    store.ready().await.unwrap();
}

#[tokio::test]
async fn silent_server_is_away_until_it_responds() {
    let database = PostgresDatabase::create();
    let proxy = PostgresProxy::start(&database.url()).await;
    let store = open_with(1, proxy.url()).await;
    observe(&store).await;
    assert_eq!(find(&store, 1).await.unwrap(), None);
    proxy.pause();
    until(async || store.ready().await.is_err()).await;
    let cause = unavailable(find(&store, 1).await);
    assert_eq!(cause, "the database server does not respond: no response in time", "without waiting");
    proxy.resume();
    until(async || store.ready().await.is_ok()).await;
    assert_eq!(find(&store, 1).await.unwrap(), None);
}

#[tokio::test]
async fn connection_is_checked_after_a_rest() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    assert_eq!(find(&store, 1).await.unwrap(), None);
    terminate_connections(&database).await;
    // It is used without a check for a second after its last use.
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(find(&store, 1).await.unwrap(), None);
}

#[tokio::test]
async fn connection_is_given_up_at_the_deadline_of_its_request() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    let asha = create(&store, "Asha", 7).await;
    slow_down_students(&database).await;
    assert_eq!(unavailable(find(&store, asha.id.get()).await), "the database server did not respond in time");
    let mut watcher = connection(&database).await;
    assert_eq!(sleeping(&mut watcher).await, 1, "the statement runs on");
    assert!(
        RecordStore::<User>::page(&store, &UserFilter::default(), PageRequest::ONE).await.is_ok(),
        "another connection"
    );
}

#[tokio::test]
async fn table_locked_in_share_mode_delays_no_other_request() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let asha = create(&store, "Asha", 7).await;
    observe(&store).await;
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    // As CREATE INDEX does.
    raw_sql("LOCK TABLE students IN SHARE MODE").execute(&mut *transaction).await.unwrap();
    let insert = |roll_no| RecordStore::<Student>::insert(&store, fields("Ravi", roll_no), &BY);
    let mut inserts = pin!(join_all((100..200).map(insert)));
    tokio::select! {
        biased;
        _ = &mut inserts => unreachable!("the table is locked"),
        () = async { while waiting(&mut watcher).await < 3 {} } => {}
    }
    let others = async {
        for _ in 0..100 {
            assert!(waiting(&mut watcher).await <= 3, "one place is left for writes to other tables");
        }
        let meera = create_user(&store, "meera", Role::Viewer).await;
        assert!(store.admit_login(Account::User(meera.id), &BY).await.unwrap().is_ok());
        assert_eq!(find(&store, asha.id.get()).await.unwrap(), Some(asha));
        store.ready().await.unwrap();
    };
    tokio::select! {
        biased;
        () = others => {}
        _ = &mut inserts => panic!("every insert has ended before the other requests"),
    }
    for inserted in inserts.await {
        assert!(matches!(inserted, Err(RecordError::Store(StoreError::Unavailable(_)))), "{inserted:?}");
    }
    transaction.rollback().await.unwrap();
    create(&store, "Ravi", 8).await;
}

#[tokio::test]
async fn searches_and_writes_leave_a_connection_for_look_ups() {
    let database = PostgresDatabase::create();
    let store = open_with(4, &database.url()).await;
    create(&store, "Asha", 7).await;
    let meera = create_user(&store, "meera", Role::Viewer).await;
    slow_down_students(&database).await;
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("SELECT FROM users FOR UPDATE").execute(&mut *transaction).await.unwrap();
    raw_sql("LOCK TABLE unknown_logins").execute(&mut *transaction).await.unwrap();

    let disable = || UserUpdate { status: Some(Status::Disabled), ..UserUpdate::default() };
    let unknown = |number| Account::Unknown(UsernameDigest::new([number; 32]));
    let filter = StudentFilter { name: NamePart::parse("a").ok(), ..StudentFilter::default() };
    let searches = join_all((0..4).map(|_| RecordStore::<Student>::page(&store, &filter, PageRequest::ONE)));
    let updates = join_all((0..4).map(|_| RecordStore::<User>::update(&store, meera.id, None, disable(), &BY)));
    let admissions = join_all((0..4).map(|number| store.admit_login(unknown(number), &BY)));
    let mut others = pin!(async { tokio::join!(searches, updates, admissions) });
    tokio::select! {
        biased;
        _ = &mut others => unreachable!("the rows are locked"),
        () = async { while waiting(&mut watcher).await < 2 || sleeping(&mut watcher).await < 1 {} } => {}
    }
    let meera = meera.fields.username;
    tokio::select! {
        biased;
        known = store.find_credentials(&meera) => assert!(known.unwrap().is_some()),
        _ = &mut others => unreachable!("the searches take a minute"),
    }
    assert_eq!(sleeping(&mut watcher).await, 1, "the searches leave a connection");
}

#[tokio::test]
async fn migration_waits_longer_for_a_lock_than_a_request() {
    let database = PostgresDatabase::create();
    open(&database).await.close().await;
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("LOCK TABLE _sqlx_migrations").execute(&mut *transaction).await.unwrap();
    // A request waits for 500 ms.
    let waiting_longer = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
         AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '700 ms')";
    let waited =
        async { while !sqlx::query_scalar::<_, bool>(waiting_longer).fetch_one(&mut watcher).await.unwrap() {} };
    let mut opening = pin!(open(&database));
    tokio::select! {
        biased;
        _ = &mut opening => unreachable!("the table is locked"),
        () = waited => {}
    }
    transaction.rollback().await.unwrap();
    opening.await.ready().await.unwrap();
}
