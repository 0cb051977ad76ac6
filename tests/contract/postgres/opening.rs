//! Opening: concurrently, on an older or newer schema, and with invalid settings.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use adapter_postgres::{OpenError, Options, PostgresStore};
use domain::access::Role;
use domain::audit::{Action, AuditLog, EventFilter};
use domain::record::RecordStore;
use domain::student::{NameIndex, NamePart, Student, StudentFilter};
use domain::user::{Attempts, CredentialStore, PasswordHash, User, UserUpdate};
use domain::{PageRequest, Probe, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};
use tempfile::TempDir;
use tests::database::PostgresDatabase;
use tests::postgres_proxy::PostgresProxy;
use tests::program;
use time::macros::datetime;

use super::{BY, connection, create, fields, find, open, run};

async fn open_error(url: impl Into<String>) -> OpenError {
    PostgresStore::connect(Options::new(url)).await.err().unwrap()
}

fn assert_one_line_without_password(error: &OpenError) {
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(!line.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{line}");
}

#[tokio::test]
async fn concurrent_opens_of_an_empty_database_succeed() {
    let database = PostgresDatabase::create();
    let (one, two, three) = tokio::join!(open(&database), open(&database), open(&database));
    let asha = create(&one, "Asha", 7).await;
    assert_eq!(find(&two, asha.id.get()).await.unwrap(), Some(asha));
    three.ready().await.unwrap();
}

#[tokio::test]
async fn concurrent_opens_create_a_named_schema_once() {
    let database = PostgresDatabase::create();
    let options = Options { schema: Some("fresh".to_owned()), ..Options::new(database.url()) };
    let (one, two) = tokio::join!(PostgresStore::connect(options.clone()), PostgresStore::connect(options));
    let asha = create(&one.unwrap(), "Asha", 7).await;
    assert_eq!(find(&two.unwrap(), asha.id.get()).await.unwrap(), Some(asha));
}

#[tokio::test]
async fn named_schema_is_separate_and_can_be_dropped() {
    let database = PostgresDatabase::create();
    let apart = Options { schema: Some("apart".to_owned()), ..Options::new(database.url()) };
    let apart = PostgresStore::connect(apart).await.unwrap();
    let shared = open(&database).await;
    let asha = create(&apart, "Asha", 7).await;
    assert_eq!(find(&shared, asha.id.get()).await.unwrap(), None);
    apart.drop_schema().await.unwrap();
    assert!(matches!(apart.ready().await, Err(StoreError::Failed(_))));
    shared.ready().await.unwrap();
}

#[tokio::test]
async fn second_open_keeps_stored_records() {
    let database = PostgresDatabase::create();
    let first = open(&database).await;
    let asha = create(&first, "Asha", 7).await;
    first.close().await;
    assert!(matches!(first.ready().await, Err(StoreError::Unavailable(_))));
    assert_eq!(find(&open(&database).await, asha.id.get()).await.unwrap(), Some(asha));
}

#[tokio::test]
async fn compatible_newer_schema_is_accepted() {
    let database = PostgresDatabase::create();
    let running = open(&database).await;
    create(&running, "Asha", 7).await;
    run(
        &database,
        "ALTER TABLE students ADD COLUMN phone text; ALTER TABLE users ADD COLUMN phone text;
         INSERT INTO _sqlx_migrations VALUES (9999, 'a later one', now(), true, '', 0)",
    )
    .await
    .unwrap();
    let started = open(&database).await;
    assert_eq!(started.schema_version().await.unwrap(), 9999);
    for store in [&running, &started] {
        assert_eq!(find(store, 1).await.unwrap().unwrap().fields, fields("Asha", 7));
    }
}

#[tokio::test]
async fn incompatible_newer_schema_is_rejected_in_one_line() {
    let database = PostgresDatabase::create();
    open(&database).await.close().await;
    run(&database, "UPDATE compatibility SET least_version = 9999").await.unwrap();
    let error = open_error(database.url()).await;
    assert!(matches!(error, OpenError::ProgramTooOld { required: 9999, .. }), "{error}");
    assert!(error.to_string().contains("start a newer release"), "{error}");
    assert_one_line_without_password(&error);
}

#[tokio::test]
async fn changed_migration_is_rejected_and_releases_its_lock() {
    let database = PostgresDatabase::create();
    open(&database).await.close().await;
    run(&database, "UPDATE _sqlx_migrations SET checksum = 'x'").await.unwrap();
    for _ in 0..2 {
        let error = open_error(database.url()).await;
        assert!(matches!(error, OpenError::Migrate { .. }), "{error}");
        assert_one_line_without_password(&error);
    }
}

#[tokio::test]
async fn closed_port_error_is_one_line_without_password() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = open_error(format!("postgres://asha:s3cret@127.0.0.1:{port}/roll")).await;
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}/roll")), "{error}");
    assert!(error.to_string().contains("check that the server runs there"), "{error}");
    assert_one_line_without_password(&error);
}

#[tokio::test]
async fn second_host_is_used_if_the_first_does_not_respond() {
    let database = PostgresDatabase::create();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = database.url();
    let (before, after) = url.split_once('@').unwrap();
    let store = PostgresStore::connect(Options::new(format!("{before}@127.0.0.1:{port},{after}"))).await.unwrap();
    create(&store, "Asha", 7).await;
}

/// The server closes the first connections, as a proxy does while the database starts.
#[tokio::test]
async fn opening_waits_for_a_server_that_starts() {
    let database = PostgresDatabase::create();
    let proxy = PostgresProxy::start(&database.url()).await;
    let connect = |wait| PostgresStore::connect(Options { wait, ..Options::new(proxy.url()) });
    proxy.reject_next(2);
    assert!(matches!(connect(Duration::ZERO).await, Err(OpenError::Connect { .. })));
    let store = connect(Duration::from_mins(1)).await.unwrap();
    create(&store, "Asha", 7).await;
}

/// Uses a fake server, because the test server may accept any password.
#[tokio::test]
async fn wrong_password_error_has_no_user_information() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _startup = client.read(&mut [0; 1024]).unwrap();
        let message = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication\nfailed for user \"asha\"\0\0";
        client.write_all(b"E").unwrap();
        client.write_all(&u32::try_from(message.len() + 4).unwrap().to_be_bytes()).unwrap();
        client.write_all(message).unwrap();
    });
    let error = open_error(format!("postgres://asha:s3cret@127.0.0.1:{port}/roll?sslmode=disable")).await;
    server.join().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to PostgreSQL at 127.0.0.1:{port}/roll: password authentication failed for user \"…\"; \
             check user and password in the URL, and the server's pg_hba.conf"
        )
    );
    assert_one_line_without_password(&error);
}

#[tokio::test]
async fn unknown_database_error_contains_a_hint() {
    let gone = PostgresDatabase::create();
    let url = gone.url();
    drop(gone);
    let error = open_error(url).await;
    assert!(error.to_string().contains("create the database"), "{error}");
    assert_one_line_without_password(&error);
}

/// Creates the schema of release 1.0: only its migration.
async fn create_first_schema(database: &PostgresDatabase) {
    let migrations = program::workspace().join("adapters/postgres/migrations");
    let first = TempDir::new().unwrap();
    let name = "0001_initial.sql";
    fs::copy(migrations.join(name), first.path().join(name)).unwrap();
    Migrator::new(first.path()).await.unwrap().run(&mut connection(database).await).await.unwrap();
}

#[tokio::test]
async fn first_schema_version_is_migrated_without_data_loss() {
    let database = PostgresDatabase::create();
    create_first_schema(&database).await;
    run(
        &database,
        "INSERT INTO users (username, username_folded, password_hash, role, active, password_change_due, version,
         created_at, updated_at)
         VALUES ('Asha', 'asha', 'one', 'admin', true, false, 3, '2026-01-01Z', '2026-01-01Z');
         INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
         VALUES ('Ravi', 'ravi', 'ravi@example.org', 1, 2, '2026-01-01Z', '2026-01-01Z');
         INSERT INTO audit_events (at, actor, action, count) VALUES ('2026-01-01Z', 'operator', 'key.rotated', 1)",
    )
    .await
    .unwrap();

    let store = open(&database).await;
    let known = store.find_credentials(&"asha".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((known.user.role, known.user.version.get(), known.attempts), (Role::Admin, 3, Attempts::default()));
    assert!(!known.user.password_change_due && known.password_expires_at.is_none());
    let filter = StudentFilter { name: NamePart::parse("RÁVI").ok(), ..StudentFilter::default() };
    for missing in [Some(1), None] {
        let found = RecordStore::<Student>::page(&store, &filter, PageRequest::ONE).await.unwrap().entries;
        assert_eq!(found.len(), 1);
        assert_eq!(store.index_missing().await.unwrap(), missing);
    }
    let change = UserUpdate::password(PasswordHash::new("two".into()));
    RecordStore::<User>::update(&store, known.user.id, None, change, &BY).await.unwrap();
    for (before, expected) in [
        (Some(datetime!(2026-01-02 00:00 UTC)), vec![Action::KEY_ROTATED]),
        (None, vec![Action::KEY_ROTATED, Action::PASSWORD_CHANGED]),
    ] {
        let filter = EventFilter { before, ..EventFilter::default() };
        let events = AuditLog::page(&store, &filter, PageRequest::LARGEST).await.unwrap().entries;
        assert_eq!(events.into_iter().map(|event| event.what.action).collect::<Vec<_>>(), expected);
    }
}

/// Writes a student and an event as a node of release 1.0, which waits half a second for a lock.
async fn write_as_release_1_0(roll_no: u32, connection: &mut PgConnection) {
    let write = format!(
        "SET lock_timeout = '500ms';
         INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
         VALUES ('Ravi', 'ravi', 'ravi@example.org', {roll_no}, 1, '2026-01-01Z', '2026-01-01Z');
         INSERT INTO audit_events (at, actor, action, count) VALUES ('2026-01-01Z', 'operator', 'key.rotated', 1)"
    );
    raw_sql(AssertSqlSafe(write)).execute(connection).await.unwrap();
}

#[tokio::test]
async fn migration_does_not_block_writes_of_release_1_0() {
    let database = PostgresDatabase::create();
    create_first_schema(&database).await;
    let (mut node, mut watcher) = (connection(&database).await, connection(&database).await);
    // Tables that an earlier and a later migration change.
    let tables = ["students", "audit_events"];
    let mut blockers = [connection(&database).await, connection(&database).await];
    for (table, blocker) in tables.iter().zip(&mut blockers) {
        let lock = format!("BEGIN; LOCK TABLE {table} IN ROW EXCLUSIVE MODE");
        raw_sql(AssertSqlSafe(lock)).execute(blocker).await.unwrap();
    }
    let mut opening = pin!(open(&database));
    let mut written = 0;
    for (table, mut blocker) in tables.iter().zip(blockers) {
        let writes = async {
            for _ in 0..3 {
                let is_waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass)";
                let is_waiting = || sqlx::query_scalar::<_, bool>(is_waiting).bind(table);
                while !is_waiting().fetch_one(&mut watcher).await.unwrap() {}
                written += 1;
                write_as_release_1_0(written, &mut node).await;
            }
        };
        tokio::select! {
            biased;
            _ = &mut opening => unreachable!("the table is locked"),
            () = writes => {}
        }
        raw_sql("COMMIT").execute(&mut blocker).await.unwrap();
    }
    let store = opening.await;
    let by_time = EventFilter { before: Some(datetime!(2026-01-02 00:00 UTC)), ..EventFilter::default() };
    assert_eq!(AuditLog::page(&store, &by_time, PageRequest::LARGEST).await.unwrap().entries.len(), 6);
    let ravi = StudentFilter { name: NamePart::parse("ravi").ok(), ..StudentFilter::default() };
    let page = RecordStore::<Student>::page(&store, &ravi, PageRequest::LARGEST).await.unwrap();
    assert_eq!(page.entries.len(), 6);
}

#[tokio::test]
async fn index_whose_creation_was_interrupted_is_created_again() {
    let database = PostgresDatabase::create();
    open(&database).await.close().await;
    run(
        &database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'audit_events_actor_action'::regclass;
         DELETE FROM _sqlx_migrations WHERE version = 8",
    )
    .await
    .unwrap();
    open(&database).await.close().await;
    let is_valid = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'audit_events_actor_action'::regclass";
    assert_eq!(database.texts(is_valid).await, ["true"]);
}

/// As by an administrator who bounds all statements of the role. The migration waits for a lock for longer than the bound, and the
/// statements that open a session, to which the bound applies, do not.
#[tokio::test]
async fn migration_ignores_the_timeouts_of_its_role() {
    let database = PostgresDatabase::create();
    create_first_schema(&database).await;
    let limit =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 1000', current_database()); END $$";
    run(&database, limit).await.unwrap();
    let (mut blocker, mut watcher) = (connection(&database).await, connection(&database).await);
    raw_sql("BEGIN; LOCK TABLE _sqlx_migrations").execute(&mut blocker).await.unwrap();
    let mut opening = Box::pin(open(&database));
    let exceeded = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'rollbook' AND wait_event_type = 'Lock' \
                    AND clock_timestamp() > query_start + interval '1500 ms')";
    let waits = async {
        while !sqlx::query_scalar::<_, bool>(exceeded).fetch_one(&mut watcher).await.unwrap() {}
        raw_sql("COMMIT").execute(&mut blocker).await.unwrap();
    };
    tokio::select! {
        _ = &mut opening => unreachable!("the table is locked"),
        () = waits => {}
    }
    opening.await.close().await;
}
