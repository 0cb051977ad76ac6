//! `cargo xtask contract`: runs schemathesis against a server in contract mode, on each store and as each role.

mod report;
mod schemathesis;

use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::document::{Document, Role};
use crate::failure::{Failure, Result};
use crate::postgres::{self, Source};
use crate::process::run;
use crate::server::Server;
use crate::workspace::cargo;
use report::Report;
use schemathesis::{Limits, Schemathesis};

/// Test the server against its OpenAPI document with schemathesis, on each store and as each role
#[derive(Debug, Args)]
pub struct Contract {
    /// Seed of the generator; may be repeated
    #[arg(long = "seed", value_name = "NUMBER", default_values_t = [1])]
    seeds: Vec<u32>,
    /// Store of the server; may be repeated
    #[arg(long = "store", value_enum, default_values_t = [Store::Sqlite, Store::Postgres])]
    stores: Vec<Store>,
    /// Role of the client; may be repeated
    #[arg(long = "role", value_enum, value_name = "ROLE", default_values_t = ROLES)]
    roles: Vec<Role>,
    /// Total duration of all runs in seconds, divided equally
    #[arg(long, value_name = "SECONDS", conflicts_with = "max_examples")]
    max_time: Option<u32>,
    /// Maximum number of generated cases for each operation and phase
    #[arg(long, value_name = "NUMBER", default_value_t = 25)]
    max_examples: u32,
    /// Source of the PostgreSQL server
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    postgres: Source,
}

const ROLES: [Role; 4] = [Role::Anonymous, Role::Viewer, Role::Registrar, Role::Admin];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// One run of schemathesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub store: Store,
    pub role: Role,
    pub seed: u32,
}

impl Plan {
    /// Store, role and seed, as in `sqlite-viewer-1`.
    pub fn name(self) -> String {
        let Self { store, role, seed } = self;
        format!("{store:?}-{role}-{seed}").to_lowercase()
    }
}

impl Contract {
    pub async fn run(self) -> Result<()> {
        let plans = self.plans();
        // Before the build, so that the command fails early on a machine without PostgreSQL.
        let postgres = if self.stores.contains(&Store::Postgres) {
            Some(postgres::Server::provide(self.postgres).await?)
        } else {
            None
        };
        run("cargo build", cargo(["build", "--release", "-p", "app"])).await?;
        let tool = Schemathesis::installed().await?;
        let document = Document::read(tool.document())?;
        let limits = Limits { max_examples: self.max_examples, max_time: self.time_per_run(plans.len()) };
        let mut report = Report::default();
        for (number, plan) in (1..).zip(&plans) {
            let since = Instant::now();
            let mut serve = vec!["--contract"];
            if let (Store::Postgres, Some(postgres)) = (plan.store, &postgres) {
                serve.extend(["--database", &postgres.url]);
            }
            let server = Server::rollbook("release", &serve).await?;
            let outcome = tool.run(*plan, &server, limits).await?;
            let summary = report.add(*plan, &outcome, &document)?;
            let (runs, seconds) = (plans.len(), since.elapsed().as_secs_f64());
            eprintln!("xtask: {number}/{runs} {}: {summary}, {seconds:.1} s", plan.name());
        }
        report.print(&document);
        if report.failed() == 0 { Ok(()) } else { Err(Failure::new("the server violates its document")) }
    }

    /// All runs in order.
    fn plans(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for seed in &self.seeds {
            for store in &self.stores {
                plans.extend(self.roles.iter().map(|role| Plan { store: *store, role: *role, seed: *seed }));
            }
        }
        plans
    }

    fn time_per_run(&self, runs: usize) -> Option<u32> {
        let runs = u32::try_from(runs).unwrap_or(u32::MAX).max(1);
        self.max_time.map(|total| (total / runs).max(1))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        contract: Contract,
    }

    fn parsed(arguments: &[&str]) -> Contract {
        Line::try_parse_from([&["contract"], arguments].concat()).unwrap().contract
    }

    #[test]
    fn default_is_each_role_on_each_store_with_seed_1() {
        let plans = parsed(&[]).plans();
        assert_eq!(plans.len(), 8);
        assert_eq!(plans[0], Plan { store: Store::Sqlite, role: Role::Anonymous, seed: 1 });
        assert_eq!(plans[7].name(), "postgres-admin-1");
    }

    #[test]
    fn seeds_run_in_order_and_share_the_time() {
        let arguments = ["--seed", "7", "--seed", "9", "--role", "admin", "--store", "sqlite", "--max-time", "60"];
        let contract = parsed(&arguments);
        let seeds: Vec<_> = contract.plans().iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [7, 9]);
        assert_eq!(contract.time_per_run(seeds.len()), Some(30));
    }
}
