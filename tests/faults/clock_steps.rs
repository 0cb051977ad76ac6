//! Steps of the wall clock of a running demo.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tests::client::Client;
use tests::program::{self, Program};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::exclusive;
use crate::load::student;

/// Offsets of the wall clock in seconds. Each follows the one before as a step.
const OFFSETS: [i32; 9] = [0, 90, 0, -90, 0, 3600, 0, -3600, 0];
/// Number of requests with each new token.
const READS_PER_LOGIN: usize = 5;
/// Tolerance of the measured offset.
const TOLERANCE: time::Duration = time::Duration::seconds(2);
const LOAD_PER_OFFSET: Duration = Duration::from_secs(5);

/// The library of faketime for programs with threads.
fn library() -> PathBuf {
    let listed = Command::new("dpkg").args(["-L", "libfaketime"]).output().map(|output| output.stdout);
    let listed = String::from_utf8(listed.unwrap_or_default()).unwrap();
    let library = listed.lines().find(|line| line.ends_with("/libfaketimeMT.so.1"));
    library.expect("libfaketimeMT.so.1 is not installed: install the Debian package faketime").into()
}

/// The wall clock of a process.
struct WallClock {
    folder: TempDir,
}

impl WallClock {
    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    fn set_offset(&self, seconds: i32) {
        // Renamed, because the process reads the file at any time.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{seconds:+}\n")).unwrap();
        fs::rename(next, self.file()).unwrap();
    }
}

async fn start_demo(clock: &WallClock) -> Program {
    let mut command = program::command(clock.folder.path(), &["serve", "--demo", "--listen", "127.0.0.1:0"]);
    let log = fs::File::create(clock.folder.path().join("log")).unwrap();
    // Few sessions, so that logins end older sessions at every offset.
    command.env("ROLLBOOK_REQUEST_QUOTA", "10000000").env("ROLLBOOK_MAX_SESSIONS", "10").stderr(log);
    command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", clock.file());
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
    Program::start(command).await
}

/// The current offset in seconds; `None` stops the clients.
type Offset = watch::Receiver<Option<i32>>;

/// Logs in and uses the new token until stopped. Returns the number of requests, and those that were rejected.
async fn log_in_repeatedly(anonymous: Client, offset: Offset) -> (usize, Vec<String>) {
    let (mut requests, mut rejected) = (0, vec![]);
    let credentials = json!({"Username": "shantanu", "Password": "password"});
    while let Some(offset) = { *offset.borrow() } {
        let login = anonymous.send("POST", "/login", &credentials).await;
        requests += 1 + READS_PER_LOGIN;
        if login.status != 200 {
            rejected.push(format!("login at {offset:+} s: {login:?}"));
            continue;
        }
        let token = login.json()["token"].as_str().unwrap().to_owned();
        for _ in 0..READS_PER_LOGIN {
            let read = anonymous.request("GET", "/students/1").bearer_auth(&token).send().await.unwrap();
            if read.status() != 200 {
                rejected.push(format!("read after login at {offset:+} s: {}", read.status()));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    (requests, rejected)
}

/// Uses one token until stopped. Returns the number of requests, and those that were rejected.
async fn read_repeatedly(client: Client, offset: Offset) -> (usize, Vec<String>) {
    let (mut requests, mut rejected) = (0, vec![]);
    while let Some(offset) = { *offset.borrow() } {
        let read = client.get("/students/1").await;
        requests += 1;
        if read.status != 200 {
            rejected.push(format!("read at {offset:+} s: {read:?}"));
        }
        sleep(Duration::from_millis(5)).await;
    }
    (requests, rejected)
}

/// The wall clock of the program, which dates a new student and the response.
async fn wall_clock(admin: &Client, roll_no: i64) -> OffsetDateTime {
    let response = admin.send("POST", "/students", &student(roll_no)).await;
    let created = OffsetDateTime::parse(response.expect(201)["created_at"].as_str().unwrap(), &Rfc3339).unwrap();
    let date = OffsetDateTime::parse(&response.header("date").replace("GMT", "+0000"), &Rfc2822).unwrap();
    assert!((created - date).abs() < TOLERANCE, "created at {created}, but the response is of {date}");
    created
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_of_wall_clock_reject_no_request() {
    let _exclusive = exclusive().await;
    let clock = WallClock { folder: TempDir::new().unwrap() };
    clock.set_offset(0);
    let demo = start_demo(&clock).await;
    let admin = demo.log_in("admin", "password").await;
    let (set_offset, offset) = watch::channel(Some(0));
    let mut clients = JoinSet::new();
    for _ in 0..3 {
        clients.spawn(log_in_repeatedly(demo.client(None), offset.clone()));
    }
    for _ in 0..2 {
        clients.spawn(read_repeatedly(demo.log_in("guest", "password").await, offset.clone()));
    }
    let (start, start_time) = (Instant::now(), wall_clock(&admin, 1_000).await);
    for (seconds, roll_no) in OFFSETS.into_iter().zip(1_001..) {
        clock.set_offset(seconds);
        set_offset.send_replace(Some(seconds));
        sleep(LOAD_PER_OFFSET).await;
        let stepped = wall_clock(&admin, roll_no).await - start_time - start.elapsed();
        assert!(
            (stepped - time::Duration::seconds(seconds.into())).abs() < TOLERANCE,
            "stepped by {stepped}, not by {seconds} s"
        );
    }
    set_offset.send_replace(None);
    let (requests, rejected): (Vec<_>, Vec<_>) = clients.join_all().await.into_iter().unzip();
    let (requests, rejected) = (requests.iter().sum::<usize>(), rejected.concat());
    println!("steps of the wall clock by {OFFSETS:?} s: {requests} requests, {} rejected", rejected.len());
    assert!(rejected.is_empty(), "{:#?}", &rejected[..rejected.len().min(20)]);
}
