//! Working folders under target/clients: one for each generator, with the scenario and the generated client.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::results::failures;
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::Process;
use crate::workspace::{install, npm_ci, pip, program, root};

/// Timeout of one command, sufficient for the first build of a Rust client on a slow machine.
const TIMEOUT: Duration = Duration::from_mins(20);
/// Subfolder of the generated code, emptied by [`Workshop::open`].
pub const GENERATED: &str = "generated";
/// Subfolder of the installed Python packages.
pub const PACKAGES: &str = "packages";
/// Number of lines printed of a failed command's output.
const TAIL: usize = 40;

/// Working folder of one generator.
pub struct Workshop {
    name: String,
    folder: PathBuf,
    document: PathBuf,
}

impl Workshop {
    /// Opens the folder of the tool `name` and copies its files from tests/clients.
    pub fn open(name: impl Into<String>, document: PathBuf) -> Result<Self> {
        let name = name.into();
        let folder = clients_folder().join(&name);
        copy(&root().join("tests/clients").join(&name), &folder).or_fail(folder.display())?;
        let generated = folder.join(GENERATED);
        if generated.exists() {
            fs::remove_dir_all(&generated).or_fail(generated.display())?;
        }
        Ok(Self { name, folder, document })
    }

    /// Opens the folder of another tool for the same document.
    pub fn beside(&self, name: &str) -> Result<Self> {
        Self::open(name, self.document.clone())
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

    /// Runs `command` and logs its output to `step`.log. If the command fails, the last lines are printed.
    pub async fn run(&self, step: &str, mut command: Command) -> Result<()> {
        let (succeeded, output) = self.attempt(step, &mut command).await?;
        if succeeded {
            return Ok(());
        }
        let lines: Vec<_> = output.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            eprintln!("  {line}");
        }
        Err(Failure::new(format_args!("{}: {step} failed", self.name)))
    }

    /// Like [`Self::run`]; returns the output.
    pub async fn output(&self, step: &str, mut command: Command) -> Result<String> {
        match self.attempt(step, &mut command).await? {
            (true, output) => Ok(output),
            (false, output) => Err(Failure::new(format_args!("{}: {step} failed: {}", self.name, output.trim()))),
        }
    }

    /// Writes a file in this folder.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.path(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content))
            .or_fail(path.display())
    }

    /// Installs the Python packages of requirements.txt and the npm packages of package-lock.json, if there are such files.
    pub async fn install_packages(&self) -> Result<()> {
        let [requirements, lock] = ["requirements.txt", "package-lock.json"].map(|name| self.path(name));
        if requirements.exists() {
            let packages = self.path(PACKAGES);
            let mut pip = pip(&packages);
            pip.arg("--requirement").arg(&requirements);
            install(&requirements, &packages, self.run("install", pip)).await?;
        }
        if lock.exists() {
            install(&lock, &self.path("node_modules"), self.run("install", npm_ci(&self.folder))).await?;
        }
        Ok(())
    }

    /// Runs `scenario` against the server at `address` and parses its results.
    pub async fn run_scenario(&self, scenario: &mut Command, address: &str) -> Result<Vec<(&'static str, String)>> {
        scenario.env("ROLLBOOK_URL", address);
        let (succeeded, output) = self.attempt("scenario", scenario).await?;
        failures(&output, !succeeded)
    }

    async fn attempt(&self, step: &str, command: &mut Command) -> Result<(bool, String)> {
        let name = format!("{}: {step}", self.name);
        eprintln!("xtask: {name}");
        let file = format!("{step}.log");
        Log::new(&self.folder, &file).catch(command)?;
        let ended = timeout(TIMEOUT, Process::start(&name, command)?.finish()).await;
        let output = fs::read(self.path(&file)).or_fail(&file)?;
        let output = String::from_utf8_lossy(&output).into_owned();
        match ended {
            Ok(Ok(())) => Ok((true, output)),
            Ok(Err(Failure::Command { .. })) => Ok((false, output)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::new(format_args!("{name} took longer than {} s", TIMEOUT.as_secs()))),
        }
    }
}

/// The parent of all working folders.
pub fn clients_folder() -> PathBuf {
    root().join("target/clients")
}

/// Copies a folder. Files that are up to date keep their modification time, so that they are not compiled again.
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
