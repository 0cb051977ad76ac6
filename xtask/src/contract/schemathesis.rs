//! The program schemathesis: installs it in pinned versions, and runs it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Plan;
use super::server::Server;
use crate::failure::{Result, Settle};
use crate::process::{Process, read, run};
use crate::workspace::{built, program, root};

/// Configuration and hooks of schemathesis, and `requirements.txt` with pinned versions.
const FOLDER: &str = "tests/schemathesis";

/// Limits of one run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of generated cases for each operation and phase. Ignored if there is a `max_time`.
    pub max_examples: u32,
    /// Duration in seconds.
    pub max_time: Option<u32>,
}

/// An installed schemathesis.
pub struct Schemathesis {
    packages: PathBuf,
    reports: PathBuf,
    /// The OpenAPI document, written by the program under test. If schemathesis fetched it from the server, it would
    /// not test the operation that returns it.
    document: PathBuf,
}

/// Result of a run.
pub struct Outcome {
    /// All events, with the exchanges and failed checks: one JSON object per line.
    pub events: PathBuf,
    /// Console output.
    pub output: PathBuf,
    /// Whether schemathesis exited with success.
    pub passed: bool,
}

impl Schemathesis {
    /// Installs schemathesis under `target`, unless the pinned versions are installed there, and writes the document.
    pub async fn installed() -> Result<Self> {
        let target = built("contract", "")?;
        let pinned = root().join(FOLDER).join("requirements.txt");
        let (packages, mark) = (target.join("python"), target.join("python/requirements.txt"));
        let wanted = fs::read(&pinned).or_fail(pinned.display())?;
        if fs::read(&mark).ok().as_ref() != Some(&wanted) {
            let _ = fs::remove_dir_all(&packages);
            let mut pip = program("python3");
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--root-user-action=ignore",
                "--no-warn-script-location",
            ]);
            pip.arg("--target").arg(&packages).arg("--requirement").arg(&pinned);
            run("pip install schemathesis", pip).await?;
            fs::write(&mark, wanted).or_fail(mark.display())?;
        }
        let reports = target.join("reports");
        // Reports of earlier runs.
        let _ = fs::remove_dir_all(&reports);
        fs::create_dir_all(&reports).or_fail(reports.display())?;
        let document = target.join("openapi.json");
        let mut openapi = program(built("release", "rollbook")?);
        openapi.args(["openapi", "--format", "json"]);
        fs::write(&document, read("rollbook openapi", openapi).await?).or_fail(document.display())?;
        Ok(Self { packages, reports, document })
    }

    /// The OpenAPI document that the server is tested against.
    pub fn document(&self) -> &Path {
        &self.document
    }

    /// Runs schemathesis to its end.
    pub async fn run(&self, plan: Plan, server: &Server, limits: Limits) -> Result<Outcome> {
        let name = format!("{}-{}-{}", plan.store, plan.role.name(), plan.seed);
        let events = self.reports.join(format!("{name}.ndjson"));
        let output = self.reports.join(format!("{name}.txt"));
        let mut command = program("python3");
        command.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", self.reports.join("hypothesis"));
        command.env("CONTRACT_ANNOUNCEMENT", &server.announcement).env("CONTRACT_ROLE", plan.role.name());
        // schemathesis resolves the hooks relative to its configuration.
        command.current_dir(root().join(FOLDER));
        command.args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]);
        command.arg(&self.document).arg(format!("--url={}", server.base_url)).arg("--no-color");
        command.arg(format!("--seed={}", plan.seed)).arg(format!("--report-ndjson-path={}", events.display()));
        command.args(["--report=ndjson", "--generation-database=none"]);
        match limits.max_time {
            Some(seconds) => command.arg(format!("--max-time={seconds}")),
            None => command.arg(format!("--max-examples={}", limits.max_examples)),
        };
        catch(&mut command, &output)?;
        let passed = Process::start("schemathesis", command)?.finish().await.is_ok();
        Ok(Outcome { events, output, passed })
    }
}

fn catch(command: &mut tokio::process::Command, file: &Path) -> Result<()> {
    let file = File::create(file).or_fail(file.display())?;
    command.stdout(file.try_clone().or_fail("cannot share a file")?).stderr(file);
    Ok(())
}
