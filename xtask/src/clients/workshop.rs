//! One generator's folder under target/clients: the scenario beside the client that is made there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::verdict::Verdict;
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::Process;
use crate::workspace::{program, root};

/// How long one command may take: a first build of a Rust client does on a slow machine.
const PATIENCE: Duration = Duration::from_mins(20);
/// The folder of what a generator writes: always anew.
pub const GENERATED: &str = "generated";
/// How many lines of a failed command's output are shown.
const SHOWN: usize = 40;

pub struct Workshop {
    name: &'static str,
    folder: PathBuf,
    document: PathBuf,
}

impl Workshop {
    /// Opens the folder of the tool `name`, with what tests/clients has for it, for a client of `document`.
    pub fn open(name: &'static str, document: PathBuf) -> Result<Self> {
        let folder = shelf().join(name);
        copy(&root().join("tests/clients").join(name), &folder).or_fail(folder.display())?;
        let workshop = Self { name, folder, document };
        workshop.clear(GENERATED)?;
        Ok(workshop)
    }

    /// The same for what several tools need, beside theirs.
    pub fn beside(&self, name: &'static str) -> Result<Self> {
        Self::open(name, self.document.clone())
    }

    /// Removes a folder that was made here.
    fn clear(&self, made: &str) -> Result<()> {
        let made = self.path(made);
        if made.exists() { fs::remove_dir_all(&made).or_fail(made.display()) } else { Ok(()) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn document(&self) -> &Path {
        &self.document
    }

    /// A program that runs in this folder.
    pub fn program(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = program(name);
        command.current_dir(&self.folder);
        command
    }

    /// Runs `command`, which does `what`; what it says is kept in a file, and its end shown when it fails.
    pub async fn run(&self, what: &str, mut command: Command) -> Result<()> {
        let (ended_well, output) = self.attempt(what, &mut command).await?;
        if ended_well {
            return Ok(());
        }
        let lines: Vec<_> = output.lines().collect();
        for line in &lines[lines.len().saturating_sub(SHOWN)..] {
            eprintln!("  {line}");
        }
        Err(Failure::new(format_args!("{}: {what} failed", self.name)))
    }

    /// Runs `command` like [`Self::run`], for what it says.
    pub async fn output(&self, what: &str, mut command: Command) -> Result<String> {
        match self.attempt(what, &mut command).await? {
            (true, output) => Ok(output),
            (false, output) => Err(Failure::new(format_args!("{}: {what} failed: {}", self.name, output.trim()))),
        }
    }

    /// Writes a file of this folder.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.path(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content))
            .or_fail(path.display())
    }

    /// Makes what lies in the folder `made` out of the file `list` with `command`, unless it was made of the same.
    pub async fn install(&self, list: &str, made: &str, command: Command) -> Result<()> {
        let list = self.path(list);
        let stamp = self.path(made).join(".made-of");
        let wanted = fs::read(&list).or_fail(list.display())?;
        if fs::read(&stamp).is_ok_and(|present| present == wanted) {
            return Ok(());
        }
        self.clear(made)?;
        self.run("install", command).await?;
        fs::write(&stamp, wanted).or_fail(stamp.display())
    }

    /// Lets `scenario` go to the server at `address`, and reads what it says.
    pub async fn play(&self, scenario: &mut Command, address: &str) -> Result<Verdict> {
        scenario.env("ROLLBOOK_URL", address);
        let (ended_well, output) = self.attempt("scenario", scenario).await?;
        Verdict::read(&output, ended_well).map_err(Failure::new)
    }

    async fn attempt(&self, what: &str, command: &mut Command) -> Result<(bool, String)> {
        let name = format!("{}: {what}", self.name);
        eprintln!("xtask: {name}");
        let file = format!("{what}.log");
        Log::new(&self.folder, &file).catch(command)?;
        let ended = timeout(PATIENCE, Process::start_again(&name, command)?.finish()).await;
        let output = fs::read(self.path(&file)).or_fail(&file)?;
        let output = String::from_utf8_lossy(&output).into_owned();
        match ended {
            Ok(Ok(())) => Ok((true, output)),
            Ok(Err(Failure::Command { .. })) => Ok((false, output)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::new(format_args!("{name} took longer than {} s", PATIENCE.as_secs()))),
        }
    }
}

/// Where all that is made lies.
pub fn shelf() -> PathBuf {
    root().join("target/clients")
}

/// Copies the files of a folder; what is there already stays untouched, so that nothing is compiled twice.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            let content = fs::read(&source)?;
            if !fs::read(&target).is_ok_and(|present| present == content) {
                fs::write(&target, content)?;
            }
        }
    }
    Ok(())
}
