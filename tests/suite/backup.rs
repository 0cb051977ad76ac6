//! Backup and restoration of the embedded store, and stores that are missing or copied by hand.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use serde_json::json;
use tests::client::Client;
use tests::program::Outcome;
use tests::server::Engine;

use crate::durability::roll_numbers;
use crate::installation::{ADMIN_PASSWORD, Installation, stop};

async fn create_student(client: &Client, roll_no: i64) {
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no});
    client.send("POST", "/students", &student).await.expect(201);
}

/// Asserts success.
fn succeeded(outcome: &Outcome) {
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
}

/// Asserts that a command fails in one line that contains the text.
fn failed(outcome: &Outcome, text: &str) {
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

#[tokio::test]
async fn backup_with_keys_keeps_tokens_valid() {
    let (_source, backup, _, client) = installation_with_backup(&["--with-keys"]).await;
    let target = Installation::new(Engine::Sqlite);
    succeeded(&target.run(&["restore", &backup], None).await);
    let server = target.serve().await;
    server.client(client.token().map(str::to_owned)).get("/me").await.expect(200);
    stop(server).await;
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
