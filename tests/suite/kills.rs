//! Commands that are killed at any step: what they leave is deleted by the next one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use tests::server::Engine;
use tokio::task::yield_now;

use crate::backup::succeeded;
use crate::installation::{Installation, signal, wait_for_exit};

/// Names and sizes of the files in a directory.
fn files(directory: &Path) -> BTreeMap<OsString, u64> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| Some((entry.file_name(), entry.metadata().ok()?.len()))).collect()
}

/// Kills a command when its working directory has changed `changes` times. Returns `true` unless it exited before.
async fn kill(installation: &Installation, arguments: &[&str], changes: usize) -> bool {
    let home = installation.data("").parent().expect("the working directory").to_owned();
    let mut before = files(&home);
    let mut process = installation.command(arguments).spawn().unwrap();
    let reached = async {
        for _ in 0..changes {
            while files(&home) == before {
                yield_now().await;
            }
            before = files(&home);
        }
    };
    let is_running = tokio::select! {
        () = reached => true,
        _ = process.wait() => false,
    };
    if is_running {
        signal(&process, Signal::KILL);
        wait_for_exit(&mut process).await;
    }
    is_running
}

/// Kills the command at several steps, runs it until its end, and returns the names in the working directory.
async fn names_after_kills(installation: &Installation, arguments: &[&str]) -> Vec<String> {
    let mut kills = 0;
    for changes in [1, 1, 2, 3, 4] {
        kills += usize::from(kill(installation, arguments, changes).await);
    }
    assert!(kills > 1, "{kills} kills before the command had ended");
    let home = installation.data("").parent().expect("the working directory").to_owned();
    fs::write(home.join(".rollbook-draft-aB3dE6"), "left by a process that was killed").unwrap();
    let arguments: Vec<_> =
        arguments.iter().map(|argument| if *argument == "roll.backup" { "last" } else { argument }).collect();
    succeeded(&installation.run(&arguments, None).await);
    files(&home).into_keys().map(|name| name.into_string().unwrap()).filter(|name| name != "roll.backup").collect()
}

/// REQ 11.
#[tokio::test]
async fn killed_rotations_leave_no_file() {
    let installation = Installation::new(Engine::Sqlite);
    let ring = ["--keys", "ring.json", "--without-audit"];
    succeeded(&installation.run(&[&["keys", "generate"], &ring[..]].concat(), None).await);
    let rotate = [&["keys", "rotate", "--announce", "0s"], &ring[..]].concat();
    assert_eq!(names_after_kills(&installation, &rotate).await, ["ring.json"]);
}

#[tokio::test]
async fn killed_backups_leave_no_file() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let names = names_after_kills(&installation, &["backup", "roll.backup"]).await;
    assert_eq!(names, ["last", "rollbook-data"]);
}
