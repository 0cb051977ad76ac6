//! Steps of the wall clock of a running demo.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tests::client::Client;
use tests::program::{self, Program};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::exclusive;

/// Offsets of the wall clock in seconds. Each follows the one before as a step.
const OFFSETS: [i32; 9] = [0, 90, 0, -90, 0, 3600, 0, -3600, 0];
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
    command.env("ROLLBOOK_REQUEST_QUOTA", "10000000").stderr(log);
    command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", clock.file());
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
    Program::start(command).await
}

/// Logs in and uses the new token until stopped. Returns the number of requests, and those that were rejected.
async fn log_in_repeatedly(anonymous: Client, username: &str, is_stopped: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut requests, mut rejected) = (0, vec![]);
    let credentials = json!({"Username": username, "Password": "password"});
    while !is_stopped.load(Ordering::Relaxed) {
        let login = anonymous.send("POST", "/login", &credentials).await;
        requests += 2;
        if login.status != 200 {
            rejected.push(format!("login: {login:?}"));
            continue;
        }
        let token = login.json()["token"].as_str().unwrap().to_owned();
        let read = anonymous.request("GET", "/students/1").bearer_auth(token).send().await.unwrap();
        if read.status() != 200 {
            rejected.push(format!("read after a login: {read:?}"));
        }
    }
    (requests, rejected)
}

/// Uses one token until stopped. Returns the number of requests, and those that were rejected.
async fn read_repeatedly(client: Client, is_stopped: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut requests, mut rejected) = (0, vec![]);
    while !is_stopped.load(Ordering::Relaxed) {
        let read = client.get("/students/1").await;
        requests += 1;
        if read.status != 200 {
            rejected.push(format!("read: {read:?}"));
        }
        sleep(Duration::from_millis(5)).await;
    }
    (requests, rejected)
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_of_wall_clock_reject_no_request() {
    let _exclusive = exclusive().await;
    let clock = WallClock { folder: TempDir::new().unwrap() };
    clock.set_offset(0);
    let demo = start_demo(&clock).await;
    let is_stopped = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for username in ["shantanu", "shantanu", "admin"] {
        clients.spawn(log_in_repeatedly(demo.client(None), username, Arc::clone(&is_stopped)));
    }
    for _ in 0..2 {
        clients.spawn(read_repeatedly(demo.log_in("guest", "password").await, Arc::clone(&is_stopped)));
    }
    for offset in OFFSETS {
        clock.set_offset(offset);
        sleep(LOAD_PER_OFFSET).await;
        let now = demo.client(None).get("/health/live").await.header("date").to_owned();
        println!("offset {offset:+} s: {now}");
    }
    is_stopped.store(true, Ordering::Relaxed);
    let (requests, rejected): (Vec<_>, Vec<_>) = clients.join_all().await.into_iter().unzip();
    let (requests, rejected) = (requests.iter().sum::<usize>(), rejected.concat());
    println!("{requests} requests, {} rejected", rejected.len());
    assert!(rejected.is_empty(), "{:#?}", &rejected[..rejected.len().min(5)]);
}
