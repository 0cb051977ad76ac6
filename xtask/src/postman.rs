//! `cargo xtask postman`: converts openapi.yaml to a Postman collection, and runs the collection on demo servers.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use crate::failure::{Failure, Result, Settle};
use crate::openapi::{self, require_same};
use crate::postgres::{self, Source};
use crate::process::{read, run};
use crate::server::Server;
use crate::workspace::{self, built, cargo, npm_ci, program, root};

/// The collection, in the root of the workspace.
const FILE: &str = "tests/postman/rollbook.postman_collection.json";
/// The converter with its overlay, and the pinned versions of the npm packages.
const FOLDER: &str = "tests/postman";
/// Runs on one server: the second finds what the first left behind.
const ITERATIONS: usize = 2;

/// Write the Postman collection from openapi.yaml, or run it with newman (needs `node` and `npm`)
#[derive(Debug, Args)]
pub struct Postman {
    /// Compare the collection with openapi.yaml, and fail if they differ
    #[arg(long)]
    pub check: bool,
    /// Run the checked-in collection against demo servers on both stores
    #[arg(long, conflicts_with = "check")]
    pub run: bool,
    /// Source of the PostgreSQL server for --run
    #[arg(long, value_enum, default_value_t = Source::Auto, requires = "run")]
    pub postgres: Source,
}

impl Postman {
    pub async fn run(self) -> Result<()> {
        let packages = install().await?;
        if self.run {
            return run_collection(&packages, self.postgres).await;
        }
        let converted = convert(&packages).await?;
        if !self.check {
            return fs::write(root().join(FILE), converted).or_fail(FILE);
        }
        require_same(FILE, &converted, "postman")
    }
}

/// Installs the pinned npm packages under `target`, unless they are there. Returns their folder.
async fn install() -> Result<PathBuf> {
    let folder = built("postman", "")?;
    fs::create_dir_all(&folder).or_fail(folder.display())?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(root().join(FOLDER).join(name), folder.join(name)).or_fail(name)?;
    }
    let packages = folder.join("node_modules");
    workspace::install(&folder.join("package-lock.json"), &packages, run("npm ci", npm_ci(&folder))).await?;
    Ok(packages)
}

async fn convert(packages: &Path) -> Result<String> {
    let document = built("postman", "openapi.json")?;
    fs::write(&document, openapi::generate("json").await?).or_fail(document.display())?;
    let mut node = program("node");
    node.env("NODE_PATH", packages).arg(root().join(FOLDER).join("collection.js")).arg(document);
    read("node collection.js", node).await
}

/// Runs the collection on each store, and each of its folders alone on the embedded store.
async fn run_collection(packages: &Path, postgres: Source) -> Result<()> {
    let postgres = postgres::Server::provide(postgres).await?;
    eprintln!("xtask: {}", postgres.description);
    run("cargo build", cargo(["build", "-p", "app"])).await?;
    let collection: Value = serde_json::from_slice(&fs::read(root().join(FILE)).or_fail(FILE)?).or_fail(FILE)?;
    let whole = Part { folder: None, requests: requests(&collection), iterations: ITERATIONS };
    let mut results = vec![
        ("SQLite".to_owned(), whole.run(packages, &["--demo"]).await?),
        ("PostgreSQL".to_owned(), whole.run(packages, &["--demo", "--database", &postgres.url]).await?),
    ];
    for folder in items(&collection) {
        let name = folder["name"].as_str().unwrap_or_default();
        let part = Part { folder: Some(name), requests: requests(folder), iterations: 1 };
        results.push((format!("folder {name} alone"), part.run(packages, &["--demo"]).await?));
    }
    for (part, result) in &results {
        println!("{part}: {result}");
    }
    let sum = |count: fn(&Outcome) -> usize| results.iter().map(|(_, result)| count(result)).sum::<usize>();
    let (passed, failed) = (sum(|result| result.assertions), sum(|result| result.failures));
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err(Failure::new(format_args!("{FILE}: {failed} failures"))) }
}

fn items(folder: &Value) -> impl Iterator<Item = &Value> {
    folder["item"].as_array().into_iter().flatten()
}

fn requests(folder: &Value) -> usize {
    items(folder).map(|item| if item.get("item").is_some() { requests(item) } else { 1 }).sum()
}

/// A part of the collection.
struct Part<'a> {
    folder: Option<&'a str>,
    requests: usize,
    iterations: usize,
}

impl Part<'_> {
    /// Runs newman on a new demo server. Its console output shows each failed assertion.
    async fn run(&self, packages: &Path, serve: &[&str]) -> Result<Outcome> {
        let server = Server::rollbook("debug", serve).await?;
        let export = server.folder.path().join("report.json");
        let mut newman = program(packages.join(".bin/newman"));
        newman.args(["run", FILE, "--reporters", "cli,json", "--color", "off"]);
        newman.args(["--reporter-cli-no-success-assertions", "--reporter-cli-no-summary"]);
        newman.arg("--reporter-json-export").arg(&export);
        newman.args(["--env-var", &format!("baseUrl=http://{}", server.address)]);
        newman.args(["--iteration-count", &self.iterations.to_string()]);
        newman.args(self.folder.iter().flat_map(|folder| ["--folder", folder]));
        newman.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        let status = run("newman", newman).await;
        let report = fs::read(&export).or_fail("newman wrote no report")?;
        let report = serde_json::from_slice(&report).or_fail("newman's report")?;
        Ok(Outcome::of(&report, self.requests * self.iterations, status.is_ok()))
    }
}

/// Result of one run of newman.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    requests: usize,
    assertions: usize,
    failures: usize,
}

impl Outcome {
    /// Reads newman's report of `requests` requests. A request that is missing, or has no assertions, is a failure too.
    fn of(report: &Value, requests: usize, success: bool) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let executions = list(&report["run"]["executions"]);
        let assertions: Vec<_> = executions.iter().map(|execution| list(&execution["assertions"]).len()).collect();
        let failed = list(&report["run"]["failures"]).len();
        let unchecked = assertions.iter().filter(|count| **count == 0).count();
        let failures = failed + unchecked + requests.abs_diff(executions.len());
        Self {
            requests: executions.len(),
            assertions: assertions.iter().sum::<usize>().saturating_sub(failed),
            failures: if success { failures } else { failures.max(1) },
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, assertions, failures } = self;
        write!(f, "{requests} requests, {assertions} assertions passed, {failures} failures")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_request_or_assertion_is_a_failure() {
        let report = |assertions: Value, failures: Value| json!({ "run": { "failures": failures, "executions": [{ "assertions": assertions }] } });
        let passed = report(json!([{}, {}]), json!([]));
        assert_eq!(Outcome::of(&passed, 1, true), Outcome { requests: 1, assertions: 2, failures: 0 });
        assert_eq!(Outcome::of(&passed, 3, true).failures, 2, "missing requests");
        assert_eq!(Outcome::of(&passed, 1, false).failures, 1, "newman failed");
        assert_eq!(Outcome::of(&report(json!([]), json!([])), 1, true).failures, 1, "no assertions");
        assert_eq!(Outcome::of(&report(json!([{}, {}]), json!([{}])), 1, true).failures, 1);
        assert_eq!(Outcome::of(&json!({}), 1, true).failures, 1, "no report");
    }
}
