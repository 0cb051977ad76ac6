//! The program schemathesis: installs it in pinned versions, and runs it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Plan;
use crate::failure::{Result, Settle};
use crate::log::Log;
use crate::process::{Process, read, run};
use crate::server::Server;
use crate::workspace::{built, install, pip, program, root};

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
        let packages = target.join("python");
        let pinned = root().join(FOLDER).join("requirements.txt");
        let mut pip = pip(&packages);
        pip.arg("--requirement").arg(&pinned);
        install(&pinned, &packages, run("pip install schemathesis", pip)).await?;
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
        let events = self.reports.join(format!("{}.ndjson", plan.name()));
        let output = self.reports.join(format!("{}.txt", plan.name()));
        let mut command = program("python3");
        command.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", self.reports.join("hypothesis"));
        command.env("CONTRACT_ROLE", plan.role.to_string());
        let console = server.output();
        let announcement = console.lines().find(|line| line.starts_with('{')).unwrap_or_default();
        command.env("CONTRACT_ANNOUNCEMENT", announcement);
        // schemathesis resolves the hooks relative to its configuration.
        command.current_dir(root().join(FOLDER));
        command.args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]);
        command.arg(&self.document).arg(format!("--url={}", server.url())).arg("--no-color");
        command.arg(format!("--seed={}", plan.seed)).arg(format!("--report-ndjson-path={}", events.display()));
        command.args(["--report=ndjson", "--generation-database=none"]);
        match limits.max_time {
            Some(seconds) => command.arg(format!("--max-time={seconds}")),
            None => command.arg(format!("--max-examples={}", limits.max_examples)),
        };
        Log::new(&self.reports, &format!("{}.txt", plan.name())).catch(&mut command)?;
        let passed = Process::start("schemathesis", &mut command)?.finish().await.is_ok();
        Ok(Outcome { events, output, passed })
    }
}
