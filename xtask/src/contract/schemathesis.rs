//! The program schemathesis: installed once, in the versions that are pinned, and run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Plan;
use super::server::Server;
use crate::failure::{Result, Settle};
use crate::process::{Process, read, run};
use crate::workspace::{built, program, root};

/// Its configuration, its hooks, and the versions of everything it is made of.
const FOLDER: &str = "tests/schemathesis";

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The most generated cases of an operation and phase.
    pub max_examples: u32,
    /// Seconds, which are used up.
    pub max_time: Option<u32>,
}

/// An installed schemathesis.
pub struct Schemathesis {
    packages: PathBuf,
    reports: PathBuf,
    /// The document of the very program that is tested. Where it fetches one from a server, it leaves out the
    /// operation that answers it.
    document: PathBuf,
}

/// What a run left behind.
pub struct Outcome {
    /// Every exchange and what was found wrong with it: a JSON object a line.
    pub events: PathBuf,
    /// Its console output.
    pub output: PathBuf,
    /// Whether it was content.
    pub passed: bool,
}

impl Schemathesis {
    /// Installs it under `target`, unless it is there: pip keeps nothing else on the machine.
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
        // What lies there is of another document, or of another run.
        let _ = fs::remove_dir_all(&reports);
        fs::create_dir_all(&reports).or_fail(reports.display())?;
        let document = target.join("openapi.json");
        let mut openapi = program(built("release", "rollbook")?);
        openapi.args(["openapi", "--format", "json"]);
        fs::write(&document, read("rollbook openapi", openapi).await?).or_fail(document.display())?;
        Ok(Self { packages, reports, document })
    }

    /// What it holds the server against.
    pub fn document(&self) -> &Path {
        &self.document
    }

    /// Runs it to its end. What it says goes to a file, and so does every exchange.
    pub async fn run(&self, plan: Plan, server: &Server, pace: Pace) -> Result<Outcome> {
        let name = format!("{}-{}-{}", plan.store, plan.role.name(), plan.seed);
        let events = self.reports.join(format!("{name}.ndjson"));
        let output = self.reports.join(format!("{name}.txt"));
        let mut command = program("python3");
        command.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
        command.env("HYPOTHESIS_STORAGE_DIRECTORY", self.reports.join("hypothesis"));
        command.env("CONTRACT_ANNOUNCEMENT", &server.announcement).env("CONTRACT_ROLE", plan.role.name());
        // It leaves a folder of its own where it runs, and finds the hooks beside its configuration.
        command.current_dir(root().join(FOLDER));
        command.args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]);
        command.arg(&self.document).arg(format!("--url={}", server.base_url)).arg("--no-color");
        command.arg(format!("--seed={}", plan.seed)).arg(format!("--report-ndjson-path={}", events.display()));
        command.args(["--report=ndjson", "--generation-database=none"]);
        match pace.max_time {
            Some(seconds) => command.arg(format!("--max-time={seconds}")),
            None => command.arg(format!("--max-examples={}", pace.max_examples)),
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
