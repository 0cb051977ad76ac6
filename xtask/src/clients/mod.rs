//! `cargo xtask clients`: clients that generators write from openapi.yaml do the same scenario on a real server.

mod python;
mod rust;
mod table;
mod tool;
mod typescript;
mod verdict;
mod workshop;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use url::Url;

use crate::bench::Server;
use crate::failure::{Failure, Result, Settle};
use crate::process::run;
use crate::workspace::{cargo, root};
use table::Table;
use tool::Tool;
use verdict::Verdict;
use workshop::Workshop;

/// Generate clients from openapi.yaml, compile them, and let each do the same scenario on a server of its own
///
/// Needs `python3` with pip, `node` with npm, and the package registries; brings its own Java. What is generated, and
/// what each command says, is in target/clients.
#[derive(Debug, Args)]
pub struct Clients {
    /// Only these
    #[arg(long, value_enum, value_name = "TOOL", value_delimiter = ',')]
    only: Vec<Tool>,
    /// Another document
    #[arg(long, value_name = "FILE", default_value = "openapi.yaml")]
    document: PathBuf,
    /// A demo server, or what stands before one, that runs already
    #[arg(long, value_name = "URL")]
    against: Option<Url>,
    /// The release build of the server
    #[arg(long, conflicts_with = "against")]
    release: bool,
}

impl Clients {
    pub async fn run(self) -> Result<()> {
        let document = root().join(&self.document);
        let document = document.canonicalize().or_fail(self.document.display())?;
        if self.against.is_none() {
            let profile = if self.release { "release" } else { "dev" };
            run("cargo build", cargo(["build", "-p", "app", "--profile", profile])).await?;
        }
        let tools = if self.only.is_empty() { Tool::value_variants() } else { &self.only };
        let mut table = Table::default();
        for tool in tools {
            let since = Instant::now();
            let outcome = self.judge(*tool, document.clone()).await;
            if let Err(failure) = &outcome {
                eprintln!("xtask: {failure}");
            }
            table.add(tool.name(), outcome, since.elapsed());
        }
        print!("{table}");
        match table.failed() {
            0 => Ok(()),
            failed => Err(Failure::told(format_args!("{failed} steps failed; the logs are in target/clients"))),
        }
    }

    /// Makes the client, and lets it do the scenario.
    async fn judge(&self, tool: Tool, document: PathBuf) -> Result<Verdict> {
        let workshop = Workshop::open(tool.name(), document)?;
        let scenario = tool.make(&workshop).await?;
        if let Some(url) = &self.against {
            return workshop.play(scenario, url.as_str().trim_end_matches('/')).await;
        }
        let server = Server::demo_of(if self.release { "release" } else { "debug" }).await?;
        workshop.play(scenario, &format!("http://{}", server.address)).await
    }
}
