//! `cargo xtask ci` and `cargo xtask advisories`: the checks of continuous integration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::process::Command;

use crate::failure::{Result, Settle};
use crate::openapi::OpenApi;
use crate::postgres::Source;
use crate::postman::Postman;
use crate::process::{read, run};
use crate::test::Test;
use crate::workspace::{built, cargo, program};

/// Run all checks (format, lints, tests, openapi.yaml, Postman collection, licences) up to the first failure
#[derive(Debug, Args)]
pub struct Ci {
    /// Skip the tests
    #[arg(long)]
    skip_test: bool,
    /// Also lint openapi.yaml and its OpenAPI 3.1 version (needs `redocly` and `spectral` on PATH)
    #[arg(long)]
    lint_openapi: bool,
}

impl Ci {
    pub async fn run(self) -> Result<()> {
        let mut steps = Steps::default();
        let outcome = self.all(&mut steps).await;
        steps.print();
        outcome
    }

    async fn all(&self, steps: &mut Steps) -> Result<()> {
        steps.command("format", cargo(["fmt", "--all", "--check"])).await?;
        let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        steps.command("clippy", cargo(clippy)).await?;
        // In a build of its own: together with other packages, cargo unifies the features of shared dependencies.
        steps.command("domain alone", cargo(["check", "-p", "domain"])).await?;
        if !self.skip_test {
            steps.record("tests", all_tests().run()).await?;
        }
        steps.record("openapi.yaml", OpenApi::check().run()).await?;
        steps.record("compatibility", OpenApi::compat().run()).await?;
        steps.record("changelog", OpenApi::changelog_check().run()).await?;
        steps.record("collection", Postman::check().run()).await?;
        if self.lint_openapi {
            let newer = write_openapi_3_1().await?;
            steps.command("redocly", redocly(&newer)).await?;
            steps.command("spectral", spectral(&newer)).await?;
        }
        steps.command("cargo deny", cargo(["deny", "check", "bans", "licenses", "sources"])).await
    }
}

/// Check the dependencies against the `RustSec` advisory database (needs cargo-deny, and access to GitHub)
#[derive(Debug, Args)]
pub struct Advisories {}

impl Advisories {
    pub async fn run(self) -> Result<()> {
        run("cargo deny", cargo(["deny", "check", "advisories"])).await
    }
}

fn all_tests() -> Test {
    let features = Some("browser,interop".to_owned());
    Test { postgres: Source::Auto, features, packages: Vec::new(), targets: Vec::new(), rest: Vec::new() }
}

/// Writes the document as OpenAPI 3.1 into cargo's target directory; returns the path.
async fn write_openapi_3_1() -> Result<PathBuf> {
    let arguments = ["run", "-q", "-p", "app", "--", "openapi", "--format", "yaml-3.1"];
    let file = built("", "openapi-3.1.yaml")?;
    fs::write(&file, read("rollbook openapi", cargo(arguments)).await?).or_fail(file.display())?;
    Ok(file)
}

fn redocly(newer: &Path) -> Command {
    let mut redocly = program("redocly");
    redocly.args(["lint", "openapi.yaml"]).arg(newer);
    redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    redocly
}

fn spectral(newer: &Path) -> Command {
    let mut spectral = program("spectral");
    spectral.args(["lint", "openapi.yaml", "--fail-severity=hint"]).arg(newer);
    spectral
}

/// Finished steps: name, duration, and whether the step passed.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration, bool)>);

impl Steps {
    async fn command(&mut self, name: &'static str, command: Command) -> Result<()> {
        self.record(name, run(name, command)).await
    }

    async fn record(&mut self, name: &'static str, step: impl Future<Output = Result<()>>) -> Result<()> {
        eprintln!("\n== {name}");
        let since = Instant::now();
        let outcome = step.await;
        self.0.push((name, since.elapsed(), outcome.is_ok()));
        outcome
    }

    fn print(&self) {
        eprintln!("\n{:<16}{:>8}", "step", "seconds");
        for (name, took, passed) in &self.0 {
            let remark = if *passed { "" } else { "  failed" };
            eprintln!("{name:<16}{:>8.1}{remark}", took.as_secs_f64());
        }
    }
}
