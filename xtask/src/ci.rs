//! `cargo xtask ci` and `cargo xtask advisories`: the checks of continuous integration.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tokio::process::Command;

use crate::failure::{Result, Settle};
use crate::openapi::base::Since;
use crate::openapi::{self, OpenApi};
use crate::postgres::Source;
use crate::postman::Postman;
use crate::process::run;
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
        command("format", cargo(["fmt", "--all", "--check"])).await?;
        let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        command("clippy", cargo(clippy)).await?;
        // `--all-targets` excludes targets that run only if they are named.
        let named = ["clippy", "--workspace", "--all-features", "--test", "faults", "--", "-D", "warnings"];
        command("clippy of named targets", cargo(named)).await?;
        // In a build of its own: together with other packages, cargo unifies the features of shared dependencies.
        command("domain alone", cargo(["check", "-p", "domain"])).await?;
        if !self.skip_test {
            step(
                "tests",
                Test { postgres: Source::Auto, arguments: vec!["--features=browser,interop".to_owned()] }.run(),
            )
            .await?;
        }
        step("openapi.yaml", OpenApi { check: true, ..OpenApi::default() }.run()).await?;
        let compat = Some(Since::MergeBase);
        step("compatibility", OpenApi { compat, ..OpenApi::default() }.run()).await?;
        let changelog = Some(Since::MergeBase);
        step("changelog", OpenApi { check: true, changelog, ..OpenApi::default() }.run()).await?;
        step("collection", Postman { check: true, run: false, postgres: Source::Auto }.run()).await?;
        if self.lint_openapi {
            let newer = write_openapi_3_1().await?;
            let mut redocly = program("redocly");
            redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
            redocly.args(["lint", "openapi.yaml"]).arg(&newer);
            command("redocly", redocly).await?;
            let mut spectral = program("spectral");
            spectral.args(["lint", "openapi.yaml", "--fail-severity=hint"]).arg(&newer);
            command("spectral", spectral).await?;
        }
        command("cargo deny", cargo(["deny", "check", "bans", "licenses", "sources"])).await
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

/// Writes the document as OpenAPI 3.1 into cargo's target directory; returns the path.
async fn write_openapi_3_1() -> Result<PathBuf> {
    let file = built("", "openapi-3.1.yaml")?;
    fs::write(&file, openapi::generate("yaml-3.1").await?).or_fail(file.display())?;
    Ok(file)
}

async fn command(name: &str, command: Command) -> Result<()> {
    step(name, run(name, command)).await
}

/// Runs a step, and prints its name and its duration.
async fn step(name: &str, step: impl Future<Output = Result<()>>) -> Result<()> {
    eprintln!("\n== {name}");
    let since = Instant::now();
    step.await?;
    eprintln!("== {name}: {:.1} s", since.elapsed().as_secs_f64());
    Ok(())
}
