//! `cargo xtask dev`: the demo server, rebuilt and restarted as its source changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

use crate::failure::Result;
use crate::process::{Process, run};
use crate::workspace::{built, cargo, program, root};

/// What the program is made of, under the root of the workspace.
const SOURCES: [&str; 5] = ["Cargo.toml", "Cargo.lock", "domain", "adapters", "app"];
const POLL: Duration = Duration::from_millis(500);

/// Run the demo server, rebuilt and restarted whenever a source file changes
#[derive(Debug, Args)]
pub struct Dev {
    /// What goes to `rollbook serve --demo`
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

impl Dev {
    pub async fn run(self) -> Result<()> {
        let mut server = None;
        loop {
            let seen = sources(root());
            // The server before goes on until there is a new one. Cargo has told what is wrong.
            match run("cargo build", cargo(["build", "-p", "app"])).await {
                Ok(()) => {
                    drop(server.take());
                    server = Some(self.serve()?);
                }
                Err(failure) => eprintln!("xtask: {failure}; waiting for a change"),
            }
            until_changed(&seen).await;
            eprintln!("xtask: the source has changed");
        }
    }

    fn serve(&self) -> Result<Process> {
        let mut rollbook = program(built("debug", "rollbook")?);
        rollbook.args(["serve", "--demo"]).args(&self.rest);
        Process::start("rollbook", rollbook)
    }
}

type Times = BTreeMap<PathBuf, SystemTime>;

/// Returns once the sources differ from `seen` and have stood still for one look.
async fn until_changed(seen: &Times) {
    let mut before = seen.clone();
    loop {
        tokio::time::sleep(POLL).await;
        let now = sources(root());
        if now == before && now != *seen {
            return;
        }
        before = now;
    }
}

/// Every file that the program is built from, with the time of its last change.
fn sources(root: &Path) -> Times {
    let mut times = Times::new();
    let mut paths: Vec<PathBuf> = SOURCES.iter().map(|name| root.join(name)).collect();
    while let Some(path) = paths.pop() {
        // A file that goes while we look is a change, which the next look sees.
        let Ok(found) = fs::metadata(&path) else { continue };
        if found.is_dir() {
            paths.extend(fs::read_dir(&path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())));
        } else if let Ok(time) = found.modified() {
            times.insert(path, time);
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_a_change_and_a_lost_file_are_seen() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("domain/src/lib.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let empty = sources(root.path());
        fs::write(&file, "").unwrap();
        let written = sources(root.path());
        assert_ne!(empty, written);
        fs::File::open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_ne!(sources(root.path()), written);
        fs::remove_file(&file).unwrap();
        assert_eq!(sources(root.path()), empty);
    }
}
