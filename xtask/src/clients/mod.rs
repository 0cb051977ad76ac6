//! `cargo xtask clients`: generates clients from openapi.yaml and runs one scenario with each against a server.

mod languages;
mod prism;
mod readme;
mod results;
mod tool;
mod workshop;

use std::iter;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use tokio::process::Command;
use url::Url;

use crate::failure::{Failure, Result, Settle};
use crate::process::run;
use crate::server::Server;
use crate::workspace::{cargo, root};
use prism::Prism;
use results::Results;
use tool::Tool;
use workshop::Workshop;

/// Generate clients from openapi.yaml, compile them, and run one scenario with each against a new server
///
/// Needs `python3` with pip, `node` with npm, `go`, and access to the package registries; Java is installed with
/// openapi-generator. Generated code and logs are in target/clients. The clients in README.md are tested too.
#[derive(Debug, Args)]
pub struct Clients {
    /// Generators to run, separated by commas [default: all]
    #[arg(long, value_enum, value_name = "TOOL", value_delimiter = ',')]
    only: Vec<Tool>,
    /// OpenAPI document
    #[arg(long, value_name = "FILE", default_value = "openapi.yaml")]
    document: PathBuf,
    /// Running demo server, or a proxy in front of one
    #[arg(long, value_name = "URL")]
    against: Option<Url>,
    /// Run the release build of the server
    #[arg(long, conflicts_with = "against")]
    release: bool,
    /// Run each scenario a second time through prism, which validates all requests and responses
    #[arg(long)]
    prism: bool,
}

impl Clients {
    pub async fn run(self) -> Result<()> {
        let document = root().join(&self.document);
        let document = document.canonicalize().or_fail(self.document.display())?;
        if self.against.is_none() {
            let profile = if self.release { "release" } else { "dev" };
            run("cargo build", cargo(["build", "-p", "app", "--profile", profile])).await?;
        }
        let prism =
            if self.prism { Some(Prism::installed(Workshop::open("prism", document.clone())?).await?) } else { None };
        let tools = if self.only.is_empty() { Tool::value_variants() } else { &self.only };
        let mut results = Results::default();
        for tool in tools {
            let mut since = Instant::now();
            let workshop = Workshop::open(tool.name(), document.clone())?;
            let mut scenario = tool.build(&workshop).await;
            for prism in iter::once(None).chain(prism.as_ref().map(Some)) {
                let outcome = match &mut scenario {
                    Ok(scenario) => self.run_with(&workshop, scenario, prism).await,
                    Err(failure) => Err(Failure::new(failure)),
                };
                if let Err(failure) = &outcome {
                    eprintln!("xtask: {failure}");
                }
                let through = if prism.is_some() { ", prism" } else { "" };
                results.add(&format!("{}{through}", tool.name()), outcome, since.elapsed());
                since = Instant::now();
            }
            if let Some(language) = readme::language(*tool) {
                let (address, _server) = self.server().await?;
                results.add_readme(language, readme::run(language, &workshop, &address).await);
            }
        }
        print!("{results}");
        match results.failed() {
            0 => Ok(()),
            failed => Err(Failure::new(format_args!("{failed} steps failed; see the logs in target/clients"))),
        }
    }

    /// Runs the scenario of one client, through prism if given.
    async fn run_with(
        &self,
        workshop: &Workshop,
        scenario: &mut Command,
        prism: Option<&Prism>,
    ) -> Result<Vec<(&'static str, String)>> {
        let (address, _server) = self.server().await?;
        let Some(prism) = prism else { return workshop.run_scenario(scenario, &address).await };
        let proxy = prism.before(&address).await?;
        workshop.run_scenario(scenario, &proxy.url()).await
    }

    /// The base URL given by `--against`, or that of a new server, which runs until it is dropped.
    async fn server(&self) -> Result<(String, Option<Server>)> {
        if let Some(url) = &self.against {
            return Ok((url.as_str().trim_end_matches('/').to_owned(), None));
        }
        let server = Server::rollbook(if self.release { "release" } else { "debug" }, &["--demo"]).await?;
        Ok((server.url(), Some(server)))
    }
}
