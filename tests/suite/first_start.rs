//! The first start on an empty store, and later starts on the same store.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use tests::server::{Engine, SECRET};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::installation::{ADMIN_PASSWORD, Installation, TIMEOUT, mode, signal, stop, wait_for_exit};

/// REQ 17.
#[tokio::test]
async fn initial_password_is_only_in_private_file() {
    let installation = Installation::new(Engine::Sqlite);
    let mut process = installation.command(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]).spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut written = stdout.next_line().await.unwrap().unwrap();
    signal(&process, Signal::TERM);
    while let Some(line) = stdout.next_line().await.unwrap() {
        written += &line;
    }
    let output = process.wait_with_output().await.unwrap();
    assert!(output.status.success());
    written += &String::from_utf8(output.stderr).unwrap();

    assert!(written.contains("initial-admin-password"), "the output contains the path of the file: {written}");
    assert!(!written.contains(&installation.admin_password()));
    assert!(!written.contains(fs::read_to_string(installation.data("jwt-secret")).unwrap().trim_end()));
    assert_eq!(mode(&installation.data("")), 0o700);
    for secret in ["initial-admin-password", "jwt-secret", "rollbook.sqlite3"] {
        assert_eq!(mode(&installation.data(secret)), 0o600, "{secret}");
    }
}

#[tokio::test]
async fn second_start_keeps_administrator_and_key() {
    let installation = Installation::new(Engine::Sqlite);
    let first = installation.serve().await;
    let client = installation.admin(&first).await;
    assert_eq!(client.get("/me").await.expect(200)["role"], "admin");
    stop(first).await;

    // The server may already have deleted it.
    let _ = fs::remove_file(installation.data("initial-admin-password"));
    let second = installation.serve().await;
    let same = second.client(client.token().map(str::to_owned));
    assert_eq!(same.get("/me").await.expect(200)["username"], "admin");
    second.log_in("admin", ADMIN_PASSWORD).await;
    assert!(!installation.data("initial-admin-password").exists());
    let users = installation.run(&["user", "list"], None).await;
    assert_eq!(users.stdout.lines().count(), 1, "{users:?}");
    stop(second).await;
    assert_eq!(installation.log().matches("first administrator").count(), 1);
}

/// A start that is killed after it has created the administrator leaves only a draft.
#[tokio::test]
async fn start_after_killed_first_start_publishes_the_password() {
    let installation = Installation::new(Engine::Sqlite);
    stop(installation.serve().await).await;
    let file = installation.data("initial-admin-password");
    fs::rename(&file, file.with_extension("x7Y2ab")).unwrap();
    fs::write(file.with_extension("other"), "1f0e-7c3a\n").unwrap();
    let next = installation.serve().await;
    next.log_in("admin", &installation.admin_password()).await;
    assert_eq!(mode(&file), 0o600);
    assert!(!file.with_extension("other").exists(), "the draft of an administrator that was not created is deleted");
    stop(next).await;
}

/// Names and sizes of the files in the data directory.
fn files(installation: &Installation) -> BTreeMap<OsString, u64> {
    let entries = fs::read_dir(installation.data("")).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| Some((entry.file_name(), entry.metadata().ok()?.len()))).collect()
}

/// Kills a first start when its data directory has changed `changes` times, or when it is complete. Returns `true` if it was
/// incomplete.
async fn kill_first_start(installation: &Installation, changes: usize) -> bool {
    let mut process = installation.serve_command(&[]).spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
    let reached = async {
        let mut before = BTreeMap::new();
        for _ in 0..changes {
            while files(installation) == before {
                yield_now().await;
            }
            before = files(installation);
        }
    };
    let is_incomplete = tokio::select! {
        () = reached => true,
        address = stdout.next_line() => address.unwrap().is_none(),
    };
    signal(&process, Signal::KILL);
    assert_eq!(wait_for_exit(&mut process).await, None, "the signal ended the process");
    is_incomplete
}

/// REQ 17.
#[tokio::test]
async fn start_after_kill_at_any_step_publishes_the_password() {
    let mut incomplete = 0;
    for changes in 1..=12 {
        let installation = Installation::new(Engine::Sqlite);
        incomplete += usize::from(kill_first_start(&installation, changes).await);
        println!("killed after {changes} changes: {:?}", files(&installation));
        let next = installation.serve().await;
        next.log_in("admin", &installation.admin_password()).await;
        let names: Vec<_> = files(&installation).into_keys().map(|name| name.into_string().unwrap()).collect();
        let is_draft = |name: &String| name.starts_with('.') || name.starts_with("initial-admin-password.");
        assert!(!names.iter().any(is_draft), "{names:?}");
    }
    assert!(incomplete > 3, "{incomplete} kills before the start was complete");
}

/// REQ 17.
#[tokio::test]
async fn initial_password_file_is_deleted_after_the_change() {
    let installation = Installation::new(Engine::Sqlite);
    let server = installation.serve().await;
    installation.admin(&server).await;
    let deleted = async {
        while installation.data("initial-admin-password").exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TIMEOUT, deleted).await.expect("the file is deleted");
    stop(server).await;
}

#[tokio::test]
async fn user_created_before_the_first_start_is_no_administrator() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let installation = &installation;
    let create = |name, role| async move {
        installation.run(&["user", "create", name, "--role", role, "--password-stdin"], Some(ADMIN_PASSWORD)).await
    };
    let created = create("asha", "viewer").await;
    assert!(created.status == Some(0) && created.stderr.contains("--role admin"), "{created:?}");
    let created = create("ravi", "admin").await;
    assert!(created.status == Some(0) && created.stderr.is_empty(), "{created:?}");
}

/// REQ 17.
#[tokio::test]
async fn concurrent_first_starts_create_one_administrator() {
    let installation = Installation::new(Engine::Postgres);
    let (one, other) = tokio::join!(installation.serve(), installation.serve());
    let users = installation.run(&["user", "list"], None).await;
    assert_eq!(users.stdout.lines().count(), 1, "{users:?}");
    assert_eq!(installation.log().matches("first administrator").count(), 1);
    // The password in the file is valid on both nodes.
    for server in [&one, &other] {
        server.log_in("admin", &installation.admin_password()).await;
    }
    stop(one).await;
    stop(other).await;
}

#[tokio::test]
async fn node_of_existing_store_needs_no_data_directory() {
    let installation = Installation::new(Engine::Postgres);
    stop(installation.serve().await).await;
    let mut next = installation.serve_command(&["--data-dir", "/dev/null/data"]);
    next.env("ROLLBOOK_JWT_SECRET", SECRET);
    stop(tests::program::Program::start(next).await).await;
}

/// A container with a read-only file system.
#[tokio::test]
async fn first_start_needs_no_data_directory_on_postgres() {
    let installation = Installation::new(Engine::Postgres);
    let unwritable = ["--data-dir", "/dev/null/data"];
    let server = tests::program::Program::start(installation.serve_command(&unwritable)).await;
    server.client(None).get("/health/ready").await.expect(200);
    let log = installation.log();
    assert!(log.contains("/dev/null/data") && log.contains("rollbook user create NAME --role admin"), "{log}");
    let create = ["user", "create", "asha", "--role", "admin", "--password-stdin"];
    let created = installation.run(&[&create[..], &unwritable].concat(), Some(ADMIN_PASSWORD)).await;
    assert_eq!((created.status, &*created.stderr), (Some(0), ""), "{created:?}");
    server.log_in("asha", ADMIN_PASSWORD).await.get("/users").await.expect(200);
    stop(server).await;
    stop(tests::program::Program::start(installation.serve_command(&unwritable)).await).await;
    assert_eq!(installation.log().matches("no administrator was created").count(), 1);
}
