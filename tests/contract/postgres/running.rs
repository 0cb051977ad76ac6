//! An open store: nodes beside each other, and a server in trouble.

use adapter_postgres::{Options, PostgresStore};
use domain::access::Role;
use domain::record::{Record, RecordError, RecordStore};
use domain::student::{RollNumber, Student, StudentPatch};
use domain::user::{User, UserConflict};
use domain::{PageRequest, Probe, StoreError};
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use tests::database::PostgresDatabase;

use super::{BY, add, connection, create, find, open, run};

/// How many statements of the stores wait for a lock now.
async fn waiting(watcher: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'rollbook' AND wait_event_type = 'Lock'";
    sqlx::query_scalar(count).fetch_one(watcher).await.unwrap()
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    store.ready().await.unwrap();
    drop(database);
    for _ in 0..2 {
        let refused = store.ready().await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_unavailable_once_and_then_made_anew() {
    let database = PostgresDatabase::create();
    let store = PostgresStore::connect(Options { max_connections: 1, ..Options::new(database.url()) }).await.unwrap();
    store.ready().await.unwrap();
    run(
        &database,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'rollbook'",
    )
    .await
    .unwrap();
    if let Err(refused) = store.ready().await {
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_request_that_finds_no_free_connection_is_unavailable() {
    let database = PostgresDatabase::create();
    let store = PostgresStore::connect(Options { max_connections: 1, ..Options::new(database.url()) }).await.unwrap();
    let mut blocker = connection(&database).await;
    let mut transaction = blocker.begin().await.unwrap();
    raw_sql("LOCK TABLE students").execute(&mut *transaction).await.unwrap();
    let refused = tokio::select! {
        biased;
        _ = find(&store, 1) => unreachable!("the table is locked"),
        refused = RecordStore::<User>::page(&store, &(), PageRequest::ONE) => refused,
    };
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_row_fails_and_panics_nobody() {
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
async fn the_database_itself_refuses_what_the_domain_would() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    create(&store, "Asha", 7).await;
    let user = add(&store, "asha", Role::Viewer).await;
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
        let refused = run(&database, format!("UPDATE {table} SET {damage}")).await.unwrap_err();
        assert!(refused.as_database_error().unwrap().is_check_violation(), "{table} {damage}: {refused}");
    }
    let refused = run(&database, "UPDATE compatibility SET only_row = false").await.unwrap_err();
    assert!(refused.as_database_error().unwrap().is_check_violation(), "{refused}");
    assert_eq!(RecordStore::<User>::find(&store, user.id).await.unwrap(), Some(user));
}

/// The other transaction frees the number that the update waits for, and wants the update's student.
#[tokio::test]
async fn update_ended_by_a_deadlock_is_tried_again() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let (asha, ravi) = (create(&store, "Asha", 7).await, create(&store, "Ravi", 8).await);
    let (mut other, mut watcher) = (connection(&database).await, connection(&database).await);
    // The server ends the one whose patience is shorter.
    raw_sql("SET deadlock_timeout = '60s'").execute(&mut other).await.unwrap();
    let mut other = other.begin().await.unwrap();
    let set = |student: &Record<Student>, roll_no| {
        AssertSqlSafe(format!("UPDATE students SET roll_no = {roll_no} WHERE id = {}", student.id))
    };
    raw_sql(set(&ravi, 9)).execute(&mut *other).await.unwrap();

    let patch = StudentPatch { roll_no: RollNumber::parse(8).ok(), ..StudentPatch::default() };
    let update = RecordStore::<Student>::update(&store, asha.id, None, patch, &BY);
    let deadlock = async {
        while waiting(&mut watcher).await < 1 {}
        raw_sql(set(&asha, 10)).execute(&mut *other).await.unwrap();
        other.commit().await.unwrap();
    };
    let (updated, ()) = tokio::join!(update, deadlock);
    assert_eq!(updated.unwrap().fields.roll_no.get(), 8);
}

/// Each node is held up after it has made sure that the other's administrator remains, if nothing else stops it.
#[tokio::test]
async fn administrators_who_leave_by_different_nodes_do_not_count_on_each_other() {
    let database = PostgresDatabase::create();
    let (one_node, other_node) = (open(&database).await, open(&database).await);
    let (one, other) = (add(&one_node, "one", Role::Admin).await, add(&one_node, "other", Role::Admin).await);
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
