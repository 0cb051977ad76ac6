//! `cargo xtask test`: runs the tests with a PostgreSQL server that it finds or starts.

use clap::Args;

use crate::failure::Result;
use crate::gate::{self, Gate};
use crate::postgres::{Server, Source, URL_VARIABLE};
use crate::process::run;
use crate::workspace::cargo;

/// Arguments that do not restrict the tests.
const UNRESTRICTED: [&str; 3] = ["--features", "--jobs", "--no-fail-fast"];

/// Run the tests with a PostgreSQL server that is found or started; after a complete run, also run the gate
#[derive(Debug, Args)]
pub struct Test {
    /// Source of the PostgreSQL server
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub postgres: Source,
    /// Arguments of `cargo test` (the features `browser` and `interop` add the tests that need Chromium and `PyJWT`)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
}

impl Test {
    pub async fn run(self) -> Result<()> {
        // Before the build, so that the command fails early on a machine without PostgreSQL.
        let server = Server::provide(self.postgres).await?;
        eprintln!("xtask: {}", server.description);
        // The tests start this program.
        run("cargo build", cargo(["build", "-p", "app"])).await?;
        let mut tests = cargo(["test"]);
        if !self.arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
            tests.arg("--workspace");
        }
        tests.args(&self.arguments).env(URL_VARIABLE, &server.url);
        if !self.is_complete() {
            return run("cargo test", tests).await;
        }
        tests.env(gate::FOLDER_VARIABLE, gate::fresh_record()?);
        run("cargo test", tests).await?;
        Gate::default().run().await
    }

    /// Whether all tests run. The gate needs the exchanges of a complete run.
    fn is_complete(&self) -> bool {
        let mut options = self.arguments.iter().map(|argument| argument.split('=').next().unwrap_or_default());
        options.all(|option| UNRESTRICTED.contains(&option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_makes_a_run_incomplete() {
        let is_complete = |arguments: &[&str]| {
            let arguments = arguments.iter().map(ToString::to_string).collect();
            Test { postgres: Source::Auto, arguments }.is_complete()
        };
        assert!(is_complete(&[]));
        assert!(is_complete(&["--features=browser,interop", "--jobs=2"]));
        for selection in [&["-p", "domain"][..], &["--test=suite"], &["filter"], &["--", "filter"]] {
            assert!(!is_complete(selection), "{selection:?}");
        }
    }
}
