//! An open store: concurrent nodes, lost connections and damaged data.

use std::pin::pin;
use std::time::Duration;

use domain::access::Role;
use domain::record::{Record, RecordError, RecordStore};
use domain::student::{RollNumber, Student, StudentName, StudentPatch};
use domain::user::{CredentialStore, User, UserConflict, UserFilter};
use domain::{PageRequest, Probe, StoreError, Text as _};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, raw_sql};
use tests::database::PostgresDatabase;
use tokio::time::timeout;

use super::{
    BY, connection, create, create_user, find, open, open_with, run, sleeping, slow_down_students,
    terminate_connections, waiting,
};

#[tokio::test]
async fn dropped_database_is_unavailable() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    store.ready().await.unwrap();
    drop(database);
    for _ in 0..2 {
        let ready = store.ready().await;
        assert!(matches!(ready, Err(StoreError::Unavailable(_))), "{ready:?}");
    }
}

#[tokio::test]
async fn lost_connection_is_replaced() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    store.ready().await.unwrap();
    terminate_connections(&database).await;
    if let Err(error) = store.ready().await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    store.ready().await.unwrap();
}

#[tokio::test]
async fn exhausted_pool_is_unavailable_and_recovers() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    let mut blocker = connection(&database).await;
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("LOCK TABLE students").execute(&mut *transaction).await.unwrap();
    for found in join_all((0..10).map(|_| find(&store, 1))).await {
        assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    }
    transaction.rollback().await.unwrap();
    assert_eq!(find(&store, 1).await.unwrap(), None);
}

#[tokio::test]
async fn abandoned_statement_gives_up_its_connection() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("LOCK TABLE students").execute(&mut *transaction).await.unwrap();
    tokio::select! {
        biased;
        _ = find(&store, 1) => unreachable!("the table is locked"),
        () = async { while waiting(&mut watcher).await < 1 {} } => {}
    }
    let page = RecordStore::<User>::page(&store, &UserFilter::default(), PageRequest::ONE).await;
    assert!(page.is_ok(), "{page:?}");
    assert_eq!(waiting(&mut watcher).await, 1, "the abandoned statement still waits for the lock");
}

#[tokio::test]
async fn abandoned_statement_ends_on_the_server() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let asha = create(&store, "Asha", 7).await;
    slow_down_students(&database).await;
    let mut watcher = connection(&database).await;
    tokio::select! {
        biased;
        _ = find(&store, asha.id.get()) => unreachable!("the view sleeps"),
        () = async { while sleeping(&mut watcher).await < 1 {} } => {}
    }
    let ended = async { while sleeping(&mut watcher).await > 0 {} };
    assert!(timeout(Duration::from_secs(15), ended).await.is_ok(), "the statement runs on");
}

#[tokio::test]
async fn writes_wait_for_those_to_the_same_record_only() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let locked = create(&store, "Asha", 1).await;
    let mut others = Vec::new();
    for roll_no in 2..=130 {
        others.push(create(&store, "Ravi", roll_no).await.id);
    }
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("SELECT FROM students WHERE roll_no = 1 FOR UPDATE").execute(&mut *transaction).await.unwrap();
    let patch = || StudentPatch { name: StudentName::parse("Meera").ok(), ..StudentPatch::default() };
    let update = |id| RecordStore::<Student>::update(&store, id, None, patch(), &BY);
    let mut updates = pin!(join_all((0..100).map(|_| update(locked.id))));
    tokio::select! {
        biased;
        _ = &mut updates => unreachable!("the row is locked"),
        () = async { while waiting(&mut watcher).await < 1 {} } => {}
    }
    tokio::select! {
        biased;
        others = join_all(others.into_iter().map(update)) => {
            assert!(others.iter().all(Result::is_ok), "{others:?}");
        }
        _ = &mut updates => panic!("every update has ended before the other writes"),
    }
    for updated in updates.await {
        assert!(matches!(updated, Err(RecordError::Store(StoreError::Unavailable(_)))), "{updated:?}");
    }
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn locked_row_delays_no_other_request() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let (asha, ravi) = (create(&store, "Asha", 7).await, create(&store, "Ravi", 8).await);
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("SELECT FROM students WHERE roll_no = 7 FOR UPDATE").execute(&mut *transaction).await.unwrap();

    let patch = || StudentPatch { roll_no: RollNumber::parse(9).ok(), ..StudentPatch::default() };
    let update = |id| RecordStore::<Student>::update(&store, id, None, patch(), &BY);
    let mut updates = pin!(join_all((0..8).map(|_| update(asha.id))));
    tokio::select! {
        biased;
        _ = &mut updates => unreachable!("the row is locked"),
        () = async { while waiting(&mut watcher).await < 1 {} } => {}
    }
    let others = async {
        create_user(&store, "meera", Role::Viewer).await;
        assert!(store.find_credentials(&"meera".parse().unwrap()).await.unwrap().is_some());
        assert_eq!(find(&store, asha.id.get()).await.unwrap(), Some(asha.clone()));
        assert_eq!(update(ravi.id).await.unwrap().fields.roll_no.get(), 9);
        assert_eq!(waiting(&mut watcher).await, 1, "the updates of one row occupy one connection");
    };
    tokio::select! {
        biased;
        () = others => {}
        _ = &mut updates => panic!("every update has ended before the other requests"),
    }
    for updated in updates.await {
        assert!(matches!(updated, Err(RecordError::Store(StoreError::Unavailable(_)))), "{updated:?}");
    }
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn damaged_row_returns_an_error() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let asha = create(&store, "Asha", 7).await;
    for (constraint, damage) in [
        ("students_name", "name = ''"),
        ("students_email", "email = 'x'"),
        ("students_age", "age = 151"),
        ("students_version", "version = 0"),
        ("students_created_at", "created_at = 'infinity'"),
        ("students_updated_at", "updated_at = '-infinity'"),
    ] {
        run(&database, format!("ALTER TABLE students DROP CONSTRAINT {constraint}")).await.unwrap();
        run(&database, format!("CREATE TABLE kept AS TABLE students; UPDATE students SET {damage}")).await.unwrap();
        let failed = find(&store, asha.id.get()).await;
        assert!(matches!(failed, Err(StoreError::Failed(_))), "{damage}: {failed:?}");
        run(
            &database,
            "UPDATE students s SET name = k.name, email = k.email, age = k.age, version = k.version,
             created_at = k.created_at, updated_at = k.updated_at FROM kept k; DROP TABLE kept",
        )
        .await
        .unwrap();
    }
    assert_eq!(find(&store, asha.id.get()).await.unwrap(), Some(asha));
}

#[tokio::test]
async fn check_constraints_reject_values_invalid_in_the_domain() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    create(&store, "Asha", 7).await;
    let user = create_user(&store, "asha", Role::Viewer).await;
    for (table, damage) in [
        ("students", "name = ''"),
        ("students", "name = repeat('é', 101)"),
        ("students", "email = 'x'"),
        ("students", "roll_no = 0"),
        ("students", "roll_no = 9007199254740992"),
        ("students", "age = 0"),
        ("students", "age = 151"),
        ("students", "version = 0"),
        ("students", "created_at = 'infinity'"),
        ("students", "updated_at = '-infinity'"),
        ("users", "username = repeat('é', 65)"),
        ("users", "username_folded = ''"),
        ("users", "role = 'root'"),
        ("users", "password_hash = ''"),
        ("users", "version = 0"),
        ("users", "created_at = 'infinity'"),
        ("users", "updated_at = '10000-01-01'"),
    ] {
        let error = run(&database, format!("UPDATE {table} SET {damage}")).await.unwrap_err();
        assert!(error.as_database_error().unwrap().is_check_violation(), "{table} {damage}: {error}");
    }
    let error = run(&database, "UPDATE compatibility SET only_row = false").await.unwrap_err();
    assert!(error.as_database_error().unwrap().is_check_violation(), "{error}");
    assert_eq!(RecordStore::<User>::find(&store, user.id).await.unwrap(), Some(user));
}

/// The other transaction holds the roll number that the update needs, and then updates the same student.
#[tokio::test]
async fn deadlock_ends_with_an_unavailable_update() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let (asha, ravi) = (create(&store, "Asha", 7).await, create(&store, "Ravi", 8).await);
    let (mut other, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut other = other.begin().await.unwrap();
    let set = |student: &Record<Student>, roll_no| {
        AssertSqlSafe(format!("UPDATE students SET roll_no = {roll_no} WHERE id = {}", student.id))
    };
    raw_sql(set(&ravi, 9)).execute(&mut *other).await.unwrap();

    let patch = StudentPatch { roll_no: RollNumber::parse(8).ok(), ..StudentPatch::default() };
    let update = || RecordStore::<Student>::update(&store, asha.id, None, patch.clone(), &BY);
    let deadlock = async {
        while waiting(&mut watcher).await < 1 {}
        raw_sql(set(&asha, 10)).execute(&mut *other).await.unwrap();
        other.commit().await.unwrap();
    };
    let (updated, ()) = tokio::join!(update(), deadlock);
    assert!(matches!(updated, Err(RecordError::Store(StoreError::Unavailable(_)))), "{updated:?}");
    assert_eq!(update().await.unwrap().fields.roll_no.get(), 8);
}

/// The row lock stops the first deletion after its check for another administrator, while the second one runs.
#[tokio::test]
async fn administrators_deleted_on_two_nodes_leave_one() {
    let database = PostgresDatabase::create();
    let (one_node, other_node) = (open(&database).await, open(&database).await);
    let one = create_user(&one_node, "one", Role::Admin).await;
    let other = create_user(&one_node, "other", Role::Admin).await;
    let (mut holder, mut watcher) = (connection(&database).await, connection(&database).await);
    let mut held = holder.begin().await.unwrap();
    raw_sql("SELECT FROM users WHERE username = 'one' FOR UPDATE").execute(&mut *held).await.unwrap();

    let first = tokio::spawn(async move { RecordStore::<User>::delete(&one_node, one.id, None, &BY).await });
    while waiting(&mut watcher).await < 1 {}
    let second = tokio::spawn(async move { RecordStore::<User>::delete(&other_node, other.id, None, &BY).await });
    while !second.is_finished() && waiting(&mut watcher).await < 2 {}
    held.commit().await.unwrap();

    let left = (first.await.unwrap(), second.await.unwrap());
    assert!(matches!(left, (Ok(()), Err(RecordError::Rejected(UserConflict::LastAdministrator)))), "{left:?}");
}
