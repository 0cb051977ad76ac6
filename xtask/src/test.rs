//! `cargo xtask test`: all tests, against a Postgres that it finds or starts.

use clap::Args;

use crate::failure::Result;
use crate::gate::{self, Gate};
use crate::postgres::{Server, Source, URL_VARIABLE};
use crate::process::run;
use crate::workspace::cargo;

/// Run the tests, with a Postgres found or started for them and taken down again; all of them end at the gate
#[derive(Debug, Args)]
pub struct Test {
    /// Where Postgres comes from
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub postgres: Source,
    /// Cargo features, separated by commas (`browser` and `interop` bring the tests that need Chromium and `PyJWT`)
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Option<String>,
    /// Only the tests of this package; may be repeated
    #[arg(long = "package", short, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Only this test target, such as `contract`; may be repeated
    #[arg(long = "test", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// What goes to the test programs themselves
    #[arg(last = true, value_name = "ARGS")]
    pub rest: Vec<String>,
}

impl Test {
    pub async fn run(self) -> Result<()> {
        // First, so that a machine without PostgreSQL fails immediately.
        let server = Server::provide(self.postgres).await?;
        eprintln!("xtask: {}", server.description);
        if self.needs_the_program() {
            run("cargo build", cargo(["build", "-p", "app"])).await?;
        }
        let mut tests = cargo(self.arguments());
        tests.env(URL_VARIABLE, &server.url);
        if !self.is_whole() {
            return run("cargo test", tests).await;
        }
        tests.env(gate::FOLDER_VARIABLE, gate::fresh_record()?);
        run("cargo test", tests).await?;
        Gate::default().run().await
    }

    /// Whether all tests run: only then is the comparison with the document complete.
    fn is_whole(&self) -> bool {
        self.packages.is_empty() && self.targets.is_empty() && self.rest.is_empty()
    }

    /// Whether the tests asked for may start the program `rollbook`.
    fn needs_the_program(&self) -> bool {
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
    fn without_a_choice_the_whole_workspace_is_tested() {
        let all = Test {
            postgres: Source::Auto,
            features: None,
            packages: Vec::new(),
            targets: Vec::new(),
            rest: Vec::new(),
        };
        assert_eq!(all.arguments(), ["test", "--workspace"]);
        assert!(all.needs_the_program() && all.is_whole());
        let one = Test { packages: vec!["domain".into()], rest: vec!["--nocapture".into()], ..all };
        assert_eq!(one.arguments(), ["test", "-p", "domain", "--", "--nocapture"]);
        assert!(!one.needs_the_program() && !one.is_whole());
    }
}
