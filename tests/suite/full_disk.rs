//! Full disk: writes are rejected until there is free space, reads continue, and no acknowledged write is lost.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tempfile::TempDir;
use tests::client::Client;
use tests::program::{self, Program};
use tests::server::Engine;
use tokio::process::Command;
use tokio::time::timeout;

use crate::backup::{failed, succeeded};
use crate::durability::roll_numbers;
use crate::installation::{ADMIN_PASSWORD, Installation, TIMEOUT, stop};

/// If this variable is `required`, the tests fail where [`can_mount`] returns `false`.
const MOUNT: &str = "ROLLBOOK_TEST_MOUNT";

/// Runs a shell script, after it has mounted a private file system of this size at this existing folder.
fn script_on_small_disk(folder: &Path, bytes: u64, script: &str) -> Command {
    let namespaces = if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" };
    let script = format!("mount -t tmpfs -o size={bytes},mode=700 tmpfs {} && {script}", folder.display());
    let mut command = Command::new("unshare");
    command.args([namespaces, "sh", "-c", &script, "sh"]);
    command
}

/// Returns `false`, with a message, if the system forbids private file systems: in most containers, and where unprivileged user
/// namespaces are restricted.
async fn can_mount() -> bool {
    let folder = TempDir::new().unwrap();
    let tried = script_on_small_disk(folder.path(), 1 << 20, "true").output().await;
    let error = match &tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        Err(error) => error.to_string(),
    };
    assert!(env::var_os(MOUNT).is_none_or(|value| value != "required"), "{error}");
    let message = format!("skipped a test that needs a private file system: {error}\n");
    // The output of macros would be captured.
    io::stderr().write_all(message.as_bytes()).unwrap();
    false
}

/// Runs the program by a script as [`script_on_small_disk`]. Its arguments are the program and its arguments.
fn command_on_small_disk(run: &Command, folder: &Path, bytes: u64, script: &str) -> Command {
    let run = run.as_std();
    let mut command = script_on_small_disk(folder, bytes, script);
    command.arg(program::path()).args(run.get_args());
    command.current_dir(run.get_current_dir().unwrap()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn create_student(client: &Client, roll_no: i64) -> tests::client::Response {
    let student = json!({"name": "x".repeat(100), "email": "asha@example.org", "roll_no": roll_no});
    client.send("POST", "/students", &student).await
}

async fn until_readiness(client: &Client, status: u16) {
    let reached = async { while client.get("/health/ready").await.status != status {} };
    timeout(TIMEOUT, reached).await.unwrap_or_else(|_| panic!("/health/ready responds {status}"));
}

#[tokio::test]
async fn full_disk_rejects_writes_until_space_is_free() {
    if !can_mount().await {
        return;
    }
    let installation = Installation::new(Engine::Sqlite);
    fs::create_dir(installation.data("")).unwrap();
    let serve = installation.serve_command(&["--log", "error"]);
    let serve = command_on_small_disk(&serve, &installation.data(""), 8 << 20, "exec \"$@\"");
    let server = Program::start(serve).await;
    let disk = PathBuf::from(format!("/proc/{}/root", server.process.id().unwrap()));
    let on_disk = |name: &str| disk.join(installation.data(name).strip_prefix("/").unwrap());
    let password = fs::read_to_string(on_disk("initial-admin-password")).unwrap();
    let client = server.log_in("admin", password.trim_end()).await;
    let change = json!({"current_password": password.trim_end(), "new_password": ADMIN_PASSWORD});
    assert_eq!(client.send("PUT", "/me/password", &change).await.status, 204);
    let filler = on_disk("filler");
    fs::write(&filler, vec![1; 6 << 20]).unwrap();
    until_readiness(&client, 200).await;

    let mut stored = BTreeSet::new();
    let mut roll_nos = 1..10_000;
    let rejection = loop {
        let roll_no = roll_nos.next().expect("the disk fills up");
        let response = create_student(&client, roll_no).await;
        if response.status != 201 {
            break response;
        }
        stored.insert(roll_no);
    };
    assert!(stored.len() > 10, "{stored:?}");
    rejection.expect_problem(503, "store-unavailable");
    assert!(rejection.header("retry-after").parse::<u32>().unwrap() > 0);

    // Small writes may still succeed.
    let mut rejections = 0;
    for roll_no in roll_nos.by_ref().take(50) {
        let response = create_student(&client, roll_no).await;
        if response.status == 201 {
            stored.insert(roll_no);
        } else {
            response.expect_problem(503, "store-unavailable");
            rejections += 1;
        }
        assert_eq!(client.get("/students/1").await.status, 200);
    }
    assert!(rejections > 0);
    until_readiness(&client, 503).await;
    assert_eq!(roll_numbers(&client).await, stored);

    fs::remove_file(filler).unwrap();
    // Without a write of a client.
    until_readiness(&client, 200).await;
    for roll_no in roll_nos.take(50) {
        create_student(&client, roll_no).await.expect(201);
        stored.insert(roll_no);
    }
    assert_eq!(roll_numbers(&client).await, stored);
    stop(server).await;
}

#[tokio::test]
async fn backup_that_cannot_be_read_back_is_reported() {
    if !can_mount().await {
        return;
    }
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    installation
        .execute(
            "INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
             SELECT 'Asha', 'asha', 'asha@example.org', n, 1, 0, 0 FROM numbers",
        )
        .await;
    let disk = installation.data("disk");
    fs::create_dir(&disk).unwrap();
    let file = disk.join("backup").to_string_lossy().into_owned();
    let size = fs::metadata(installation.data("rollbook.sqlite3")).unwrap().len();
    let backup = |size| {
        let backup = installation.command(&["backup", &file]);
        let list_files = format!("{{ \"$@\"; status=$?; ls {}; exit $status; }}", disk.display());
        timeout(TIMEOUT, program::outcome(command_on_small_disk(&backup, &disk, size, &list_files)))
    };
    // The compressed copy is smaller than a half of the copy.
    failed(&backup(size * 7 / 4).await.unwrap(), "cannot be used: it cannot be read: No space left on device");
    let complete = backup(size * 3).await.unwrap();
    succeeded(&complete);
    assert!(complete.stdout.ends_with("\nbackup\n"), "{complete:?}");
}
