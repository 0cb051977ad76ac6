//! `cargo xtask test`: runs the tests with a PostgreSQL server that it finds or starts.

use clap::Args;

use crate::failure::Result;
use crate::gate::{self, Gate};
use crate::postgres::{Server, Source, URL_VARIABLE};
use crate::process::run;
use crate::workspace::cargo;

/// Run the tests with a PostgreSQL server that is found or started; after a complete run, also run the gate
#[derive(Debug, Args)]
pub struct Test {
    /// Source of the PostgreSQL server
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub postgres: Source,
    /// Cargo features, separated by commas (`browser` and `interop` add the tests that need Chromium and `PyJWT`)
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Option<String>,
    /// Package to test; may be repeated [default: all]
    #[arg(long = "package", short, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Test target to run, such as `contract`; may be repeated [default: all]
    #[arg(long = "test", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Arguments for the test programs
    #[arg(last = true, value_name = "ARGS")]
    pub rest: Vec<String>,
}

impl Test {
    pub async fn run(self) -> Result<()> {
        // Before the build, so that the command fails early on a machine without PostgreSQL.
        let server = Server::provide(self.postgres).await?;
        eprintln!("xtask: {}", server.description);
        if self.needs_program() {
            run("cargo build", cargo(["build", "-p", "app"])).await?;
        }
        let mut tests = cargo(self.arguments());
        tests.env(URL_VARIABLE, &server.url);
        if !self.is_complete() {
            return run("cargo test", tests).await;
        }
        tests.env(gate::FOLDER_VARIABLE, gate::fresh_record()?);
        run("cargo test", tests).await?;
        Gate::default().run().await
    }

    /// Whether all tests run. The gate needs the exchanges of a complete run.
    fn is_complete(&self) -> bool {
        self.packages.is_empty() && self.targets.is_empty() && self.rest.is_empty()
    }

    /// Whether the selected tests may start the program `rollbook`.
    fn needs_program(&self) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|package| package == "tests")
    }

    fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["test"];
        if self.packages.is_empty() {
            arguments.push("--workspace");
        }
        arguments.extend(self.packages.iter().flat_map(|package| ["-p", package.as_str()]));
        arguments.extend(self.features.iter().flat_map(|features| ["--features", features.as_str()]));
        arguments.extend(self.targets.iter().flat_map(|target| ["--test", target.as_str()]));
        if !self.rest.is_empty() {
            arguments.push("--");
            arguments.extend(self.rest.iter().map(String::as_str));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_without_selection_covers_workspace() {
        let all = Test {
            postgres: Source::Auto,
            features: None,
            packages: Vec::new(),
            targets: Vec::new(),
            rest: Vec::new(),
        };
        assert_eq!(all.arguments(), ["test", "--workspace"]);
        assert!(all.needs_program() && all.is_complete());
        let one = Test { packages: vec!["domain".into()], rest: vec!["--nocapture".into()], ..all };
        assert_eq!(one.arguments(), ["test", "-p", "domain", "--", "--nocapture"]);
        assert!(!one.needs_program() && !one.is_complete());
    }
}
