//! Backup and restoration of the embedded store, and stores that are missing or copied by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::json;
use tests::client::Client;
use tests::program::Outcome;
use tests::server::{Engine, SECRET};

use crate::durability::roll_numbers;
use crate::installation::{ADMIN_PASSWORD, Installation, mode, stop};

async fn create_student(client: &Client, roll_no: i64) {
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no});
    client.send("POST", "/students", &student).await.expect(201);
}

/// Asserts success.
pub fn succeeded(outcome: &Outcome) {
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
}

/// Asserts that a command fails in one line that contains the text.
pub fn failed(outcome: &Outcome, text: &str) {
    assert!(outcome.status == Some(1) && outcome.stdout.is_empty(), "{outcome:?}");
    assert!(outcome.stderr.lines().count() == 1 && outcome.stderr.contains(text), "{outcome:?}");
}

/// An installation with a backup in the file `backup`, which was created under write load, and the roll numbers that were
/// acknowledged before.
async fn installation_with_backup(arguments: &[&str]) -> (Installation, String, BTreeSet<i64>, Client) {
    let installation = Installation::new(Engine::Sqlite);
    let server = installation.serve().await;
    let client = installation.admin(&server).await;
    let acknowledged = Mutex::new(BTreeSet::new());
    let writes = async {
        for roll_no in 1.. {
            create_student(&client, roll_no).await;
            acknowledged.lock().unwrap().insert(roll_no);
        }
    };
    let backup = installation.data("backup").to_string_lossy().into_owned();
    let backed_up = async {
        while acknowledged.lock().unwrap().len() < 50 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.lock().unwrap().clone();
        succeeded(&installation.run(&[&["backup", &backup], arguments].concat(), None).await);
        before
    };
    let before = tokio::select! {
        () = writes => unreachable!("the writes do not end"),
        before = backed_up => before,
    };
    assert!(acknowledged.lock().unwrap().len() > before.len(), "writes went on during the backup");
    stop(server).await;
    (installation, backup, before, client)
}

#[tokio::test]
async fn backup_contains_every_write_acknowledged_before_it() {
    let (source, backup, before, client) = installation_with_backup(&[]).await;
    let target = Installation::new(Engine::Sqlite);
    succeeded(&target.run(&["restore", &backup], None).await);
    let server = target.serve().await;
    let restored = server.log_in("admin", ADMIN_PASSWORD).await;
    let found = roll_numbers(&restored).await;
    assert!(before.is_subset(&found), "missing: {:?}", before.difference(&found));
    let same_token = server.client(client.token().map(str::to_owned));
    same_token.get("/me").await.expect_problem(401, "unauthorized");
    stop(server).await;

    failed(&target.run(&["restore", &backup], None).await, "is not overwritten");
    failed(&source.run(&["backup", &backup], None).await, "choose another file");
}

/// Its follower may know changes that the restored store does not contain, and others may follow at the same positions.
#[tokio::test]
async fn token_from_before_a_restore_is_gone() {
    let (source, restored, copied) =
        (Installation::new(Engine::Sqlite), Installation::new(Engine::Sqlite), Installation::new(Engine::Sqlite));
    let server = source.serve().await;
    let client = source.admin(&server).await;
    create_student(&client, 1).await;
    let backup = source.data("backup").to_string_lossy().into_owned();
    succeeded(&source.run(&["backup", &backup, "--with-keys"], None).await);
    let token = client.get("/students/changes/latest").await.expect(200)["token"].as_str().unwrap().to_owned();
    stop(server).await;
    succeeded(&restored.run(&["restore", &backup], None).await);
    fs::create_dir(copied.data("")).unwrap();
    for file in ["rollbook.sqlite3", "jwt-secret"] {
        fs::copy(source.data(file), copied.data(file)).unwrap();
    }
    for (installation, is_same) in [(&source, true), (&restored, false), (&copied, false)] {
        let server = installation.serve().await;
        let client = server.log_in("admin", ADMIN_PASSWORD).await;
        let changes = client.get(&format!("/students/changes?after={token}")).await;
        if is_same {
            assert_eq!(changes.expect(200)["changes"], json!([]));
        } else {
            changes.expect_problem(410, "change-token-of-another-feed");
            let token = client.get("/students/changes/latest").await.expect(200)["token"].as_str().unwrap().to_owned();
            create_student(&client, 2).await;
            let changes = client.get(&format!("/students/changes?after={token}")).await.expect(200);
            assert_eq!(changes["changes"][0]["student"]["roll_no"], 2);
        }
        stop(server).await;
    }
}

#[tokio::test]
async fn backup_with_keys_keeps_tokens_valid() {
    let (_source, backup, _, client) = installation_with_backup(&["--with-keys"]).await;
    let target = Installation::new(Engine::Sqlite);
    succeeded(&target.run(&["restore", &backup], None).await);
    for file in [Path::new(&backup), &target.data("rollbook.sqlite3"), &target.data("jwt-secret")] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let server = target.serve().await;
    server.client(client.token().map(str::to_owned)).get("/me").await.expect(200);
    stop(server).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn key_ring_is_restored_on_another_file_system() {
    use std::os::unix::fs::MetadataExt;

    let source = Installation::new(Engine::Sqlite);
    source.migrate().await;
    let (ring, backup) = (source.data("ring.json"), source.data("backup"));
    let (ring, backup) = (ring.to_str().unwrap(), backup.to_str().unwrap());
    succeeded(&source.run(&["keys", "generate", "--keys", ring], None).await);
    succeeded(&source.run(&["backup", backup, "--with-keys", "--keys", ring], None).await);

    let data_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    assert_ne!(data_dir.path().metadata().unwrap().dev(), Path::new(backup).metadata().unwrap().dev());
    let target = Installation::new(Engine::Sqlite);
    let select = ["--database", "sqlite:restored.sqlite3", "--data-dir", data_dir.path().to_str().unwrap()];
    succeeded(&target.run(&[&["restore", backup], &select[..]].concat(), None).await);
    let restored = data_dir.path().join("keys.json");
    assert_eq!(fs::read(&restored).unwrap(), fs::read(ring).unwrap());
    assert_eq!(mode(&restored), 0o600);
}

#[tokio::test]
async fn restore_overwrites_neither_keys_nor_logs() {
    let source = Installation::new(Engine::Sqlite);
    source.migrate().await;
    fs::write(source.data("jwt-secret"), SECRET).unwrap();
    let backup = source.data("backup").to_string_lossy().into_owned();
    succeeded(&source.run(&["backup", &backup, "--with-keys"], None).await);
    for name in ["jwt-secret", "rollbook.sqlite3-wal", "rollbook.sqlite3-shm"] {
        let target = Installation::new(Engine::Sqlite);
        fs::create_dir(target.data("")).unwrap();
        fs::write(target.data(name), "existing").unwrap();
        failed(&target.run(&["restore", &backup], None).await, &format!("{name} exists, and is not overwritten"));
        assert_eq!(fs::read_to_string(target.data(name)).unwrap(), "existing");
        assert_eq!(fs::read_dir(target.data("")).unwrap().count(), 1, "nothing is restored");
    }
}

#[tokio::test]
async fn restore_migrates_a_store_of_the_first_schema() {
    let schema_version = |installation: &Installation| -> u32 {
        let store = rusqlite::Connection::open(installation.data("rollbook.sqlite3")).unwrap();
        store.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    let source = Installation::new(Engine::Sqlite);
    fs::create_dir(source.data("")).unwrap();
    let first = concat!(
        include_str!("../../adapters/sqlite/migrations/0001_initial.sql"),
        "INSERT INTO students (id, name, name_folded, email, roll_no, version, created_at, updated_at)
         VALUES (9, 'Ravi', 'ravi', 'ravi@example.org', 1, 2, 0, 1);
         PRAGMA application_id = 0x526f6c6c; PRAGMA user_version = 1;",
    );
    source.execute(first).await;
    let backup = source.data("backup").to_string_lossy().into_owned();
    succeeded(&source.run(&["backup", &backup], None).await);
    let (target, newest) = (Installation::new(Engine::Sqlite), Installation::new(Engine::Sqlite));
    let restored = target.run(&["restore", &backup], None).await;
    succeeded(&restored);
    assert!(restored.stdout.contains("1 students and 0 users"), "{restored:?}");
    newest.migrate().await;
    assert_eq!((schema_version(&source), schema_version(&target)), (1, schema_version(&newest)));
}

#[tokio::test]
async fn changed_byte_of_a_backup_is_found() {
    let (source, backup, ..) = installation_with_backup(&[]).await;
    let intact = fs::read(&backup).unwrap();
    let last = intact.len() - 1;
    let positions = (0..24).chain((24..last).step_by(last / 24)).chain(last - 8..=last);
    let (changed, target) = (source.data("changed"), Installation::new(Engine::Sqlite));
    for position in positions {
        let mut bytes = intact.clone();
        bytes[position] ^= 0x10;
        fs::write(&changed, bytes).unwrap();
        let restored = target.run(&["restore", changed.to_str().unwrap()], None).await;
        failed(&restored, "cannot be used: it is ");
        assert!(!target.data("rollbook.sqlite3").exists(), "byte {position}");
    }
    fs::write(&changed, &intact[..last]).unwrap();
    failed(&target.run(&["restore", changed.to_str().unwrap()], None).await, "cannot be used: it is damaged");
    assert_eq!(fs::read_dir(target.data("")).unwrap().count(), 0, "nothing is left");
    succeeded(&target.run(&["restore", &backup], None).await);
}

#[tokio::test]
async fn postgres_is_not_backed_up_to_a_file() {
    let installation = Installation::new(Engine::Postgres);
    failed(&installation.run(&["backup", "roll.backup"], None).await, "pg_dump");
}

#[tokio::test]
async fn missing_store_is_not_replaced_by_an_empty_one() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let store = installation.data("rollbook.sqlite3");
    for lose in [|path: &_| fs::remove_file(path), |path: &_| fs::write(path, "")] {
        lose(&store).unwrap();
        for command in ["serve", "migrate"] {
            failed(&installation.run(&[command], None).await, "known-stores");
        }
        for command in [&["user", "list"][..], &["backup", "roll.backup"]] {
            failed(&installation.run(command, None).await, "does not exist");
        }
    }
    fs::remove_file(installation.data("known-stores")).unwrap();
    stop(installation.serve().await).await;
}

#[tokio::test]
async fn stopped_store_is_complete_in_its_main_file() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let copy = Installation::new(Engine::Sqlite);
    let copy_store = || {
        fs::create_dir_all(copy.data("")).unwrap();
        fs::copy(installation.data("rollbook.sqlite3"), copy.data("rollbook.sqlite3")).unwrap();
    };
    copy_store();
    succeeded(&copy.run(&["user", "list"], None).await);

    let server = installation.serve().await;
    let client = installation.admin(&server).await;
    create_student(&client, 7).await;
    stop(server).await;
    copy_store();
    let server = copy.serve().await;
    let client = server.log_in("admin", ADMIN_PASSWORD).await;
    assert_eq!(roll_numbers(&client).await, BTreeSet::from([7]));
    stop(server).await;
}
