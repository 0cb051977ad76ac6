//! Installed programs that the tests start, and their processes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// The folder with the programs of the newest PostgreSQL server: on `PATH`, or of a Debian package.
///
/// # Panics
/// If none is installed.
pub fn postgres() -> PathBuf {
    const VERSIONS: &str = "/usr/lib/postgresql";
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(VERSIONS).into_iter().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let versions = versions.into_iter().map(|version| Path::new(VERSIONS).join(version.to_string()).join("bin"));
    let has_all =
        |folder: &PathBuf| ["initdb", "pg_ctl", "pg_basebackup"].iter().all(|name| folder.join(name).is_file());
    env::split_paths(&path)
        .chain(versions)
        .find(has_all)
        .expect("initdb, pg_ctl and pg_basebackup are not installed: install the Debian package postgresql")
}

/// The ids of the user `postgres` if the tests run as root, which PostgreSQL does not support.
pub fn postgres_user() -> Option<(u32, u32)> {
    let id = |option| {
        let output = Command::new("id").args([option, "postgres"]).stderr(Stdio::null()).output().expect("id");
        let id = String::from_utf8_lossy(&output.stdout).trim().parse();
        id.expect("the user postgres does not exist: install the Debian package postgresql-common")
    };
    geteuid().is_root().then(|| (id("-u"), id("-g")))
}

/// Sends a signal to a process, if it still runs.
pub fn signal(process: i32, signal: Signal) {
    if let Some(id) = Pid::from_raw(process) {
        let _ = kill_process(id, signal);
    }
}

/// The child processes of a process.
pub fn children(parent: i32) -> Vec<i32> {
    let parent_of = |process: i32| -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The state and the parent follow the name, which is in parentheses and may contain spaces (proc(5)).
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|process| parent_of(*process) == Some(parent)).collect()
}
