//! Runs the collection with newman against demos of their own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::FILE;
use super::report::Report;
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::loopback::free_address;
use crate::postgres::{Server, Source};
use crate::process::{Process, run as run_command};
use crate::workspace::{built, cargo, program, root};

/// Where its version is pinned, with all that it is made of.
const PINNED: &str = "tests/postman";
/// A second time, because the first may leave nothing behind that is in the way.
const TIMES: usize = 2;
const START: Duration = Duration::from_secs(30);

/// Runs the whole collection on each store, and on the embedded one each of its folders alone.
pub async fn run(postgres: Source) -> Result<()> {
    let postgres = Server::provide(postgres).await?;
    eprintln!("xtask: {}", postgres.description);
    let newman = install().await?;
    run_command("cargo build", cargo(["build", "-p", "app"])).await?;
    let text = fs::read_to_string(root().join(FILE)).or_fail(FILE)?;
    let collection: Value = serde_json::from_str(&text).or_fail(FILE)?;
    let mut tally = Tally::default();
    let everything = Part { folder: None, items: requests(&collection), times: TIMES };
    tally.take("SQLite", everything.run(&newman, &["serve", "--demo"]).await?);
    let on_postgres = ["serve", "--demo", "--database", &postgres.url];
    tally.take("PostgreSQL", everything.run(&newman, &on_postgres).await?);
    for folder in collection["item"].as_array().into_iter().flatten() {
        let name = folder["name"].as_str().unwrap_or_default();
        let part = Part { folder: Some(name), items: requests(folder), times: 1 };
        tally.take(format!("the folder {name} alone"), part.run(&newman, &["serve", "--demo"]).await?);
    }
    tally.close()
}

/// A part of the collection.
struct Part<'a> {
    folder: Option<&'a str>,
    items: usize,
    times: usize,
}

impl Part<'_> {
    async fn run(&self, newman: &Path, serve: &[&str]) -> Result<Report> {
        let demo = Demo::start(serve).await?;
        let export = demo.folder.path().join("report.json");
        let mut command = program(newman);
        command.args([
            "run",
            FILE,
            "--reporters",
            "cli,json",
            "--reporter-cli-no-success-assertions",
            "--reporter-cli-no-summary",
            "--color",
            "off",
        ]);
        command.arg("--reporter-json-export").arg(&export);
        command.args(["--env-var", &format!("baseUrl=http://{}", demo.address)]);
        command.args(["--iteration-count", &self.times.to_string()]);
        command.args(self.folder.iter().flat_map(|folder| ["--folder", folder]));
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        // The report has more detail than the exit status.
        let ended = run_command("newman", command).await;
        let report = fs::read_to_string(&export).or_fail("newman wrote no report")?;
        let report = serde_json::from_str(&report).or_fail("newman's report")?;
        let mut report = Report::of(&report, self.items * self.times);
        if let (Err(failure), true) = (ended, report.failures.is_empty()) {
            report.failures.push(failure.to_string());
        }
        Ok(report)
    }
}

/// How many requests a collection or a folder holds.
fn requests(items: &Value) -> usize {
    let items = items["item"].as_array().into_iter().flatten();
    items.map(|item| if item.get("item").is_some() { requests(item) } else { 1 }).sum()
}

/// A demo that answers until this is dropped.
struct Demo {
    address: SocketAddr,
    folder: TempDir,
    _process: Process,
}

impl Demo {
    async fn start(serve: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir().or_fail("cannot make a folder")?;
        let log = Log::new(folder.path(), "log");
        let mut command = program(built("debug", "rollbook")?);
        command.args(serve).args(["--listen", &address.to_string()]);
        log.catch(&mut command)?;
        let mut process = Process::start("rollbook", command)?;
        if !process.listens(address, START).await {
            return Err(Failure::new(format_args!("rollbook does not listen on {address}: {}", log.last_line())));
        }
        Ok(Self { address, folder, _process: process })
    }
}

/// Installs newman under `target`, unless this very version is there.
async fn install() -> Result<PathBuf> {
    let folder = built("postman", "")?;
    let lock = root().join(PINNED).join("package-lock.json");
    let wanted = fs::read(&lock).or_fail(PINNED)?;
    let installed = folder.join("installed");
    if !fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        fs::create_dir_all(&folder).or_fail("cannot make a folder for newman")?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(root().join(PINNED).join(name), folder.join(name)).or_fail(name)?;
        }
        let mut npm = program("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder);
        run_command("npm ci", npm).await?;
        fs::write(&installed, wanted).or_fail("newman")?;
    }
    Ok(folder.join("node_modules/.bin/newman"))
}

/// The runs, counted.
#[derive(Default)]
struct Tally {
    reports: Vec<(String, Report)>,
}

impl Tally {
    fn take(&mut self, what: impl Into<String>, report: Report) {
        self.reports.push((what.into(), report));
    }

    /// Reports every run, and fails if one failed.
    fn close(self) -> Result<()> {
        let (mut asserted, mut failed) = (0, 0);
        for (what, report) in &self.reports {
            println!("{what}: {report}");
            for failure in &report.failures {
                println!("    {failure}");
            }
            asserted += report.assertions;
            failed += report.failures.len();
        }
        println!("{} passed, {failed} failed", asserted.saturating_sub(failed));
        if failed == 0 { Ok(()) } else { Err(Failure::new(format_args!("{FILE} failed {failed} times"))) }
    }
}
