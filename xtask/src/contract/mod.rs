//! `cargo xtask contract`: runs schemathesis against a server in contract mode, on each store and as each role.

mod promises;
mod report;
mod schemathesis;
mod server;
mod tally;

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::failure::{Failure, Result};
use crate::postgres::{self, Source};
use crate::process::run;
use crate::workspace::cargo;
use promises::Promises;
use report::Report;
use schemathesis::{Limits, Schemathesis};
use server::Server;
use tally::Tally;

/// Test the server against its OpenAPI document with schemathesis, on each store and as each role
#[derive(Debug, Args)]
pub struct Contract {
    /// Seed of the generator; may be repeated [default: 1]
    #[arg(long = "seed", value_name = "NUMBER")]
    seeds: Vec<u32>,
    /// Run with the seeds 1 to NUMBER
    #[arg(long = "seeds", value_name = "NUMBER", conflicts_with = "seeds")]
    count: Option<u32>,
    /// Store of the server
    #[arg(long, value_enum, default_value_t = Stores::Both)]
    store: Stores,
    /// Role of the client; may be repeated [default: all]
    #[arg(long = "role", value_enum, value_name = "ROLE")]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stores {
    Sqlite,
    Postgres,
    Both,
}

/// Role of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    Anonymous,
    Viewer,
    Registrar,
    Admin,
}

impl Role {
    const ALL: [Self; 4] = [Self::Anonymous, Self::Viewer, Self::Registrar, Self::Admin];

    /// The name in the OpenAPI document.
    const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Viewer => "viewer",
            Self::Registrar => "registrar",
            Self::Admin => "admin",
        }
    }
}

/// One run of schemathesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub store: &'static str,
    pub role: Role,
    pub seed: u32,
}

impl Contract {
    pub async fn run(self) -> Result<()> {
        // Before the build, so that the command fails early on a machine without PostgreSQL.
        let postgres = match self.store {
            Stores::Sqlite => None,
            Stores::Postgres | Stores::Both => Some(postgres::Server::provide(self.postgres).await?),
        };
        run("cargo build", cargo(["build", "--release", "-p", "app"])).await?;
        let url_of = |store| postgres.as_ref().filter(|_| store == POSTGRES).map(|server| server.url.as_str());
        let tool = Schemathesis::installed().await?;
        let promises = Promises::read(tool.document())?;
        let plans = self.plans();
        let limits = Limits { max_examples: self.max_examples, max_time: self.share(plans.len()) };
        let mut report = Report::default();
        for (number, plan) in plans.iter().enumerate() {
            let since = Instant::now();
            let server = Server::start(url_of(plan.store)).await?;
            let outcome = tool.run(*plan, &server, limits).await?;
            drop(server);
            let tally = Tally::read(&outcome)?;
            let Plan { store, role, seed } = plan;
            let (cases, successes, failures) = (tally.cases, tally.total_successes(), tally.failures.len());
            eprintln!(
                "xtask: {}/{} {store}, {}, seed {seed}: {cases} cases, {successes} with a 2xx response, \
                 {failures} failures, {}",
                number + 1,
                plans.len(),
                role.name(),
                seconds(since.elapsed()),
            );
            report.add(*plan, tally, promises.of(*role));
        }
        report.print(&promises);
        if report.failed() == 0 { Ok(()) } else { Err(Failure::new("schemathesis found failures")) }
    }

    fn stores(&self) -> &'static [&'static str] {
        match self.store {
            Stores::Sqlite => &[SQLITE],
            Stores::Postgres => &[POSTGRES],
            Stores::Both => &[SQLITE, POSTGRES],
        }
    }

    /// All runs, in order.
    fn plans(&self) -> Vec<Plan> {
        let seeds: Vec<u32> = match self.count {
            Some(count) => (1..=count).collect(),
            None if self.seeds.is_empty() => vec![1],
            None => self.seeds.clone(),
        };
        let roles = if self.roles.is_empty() { &Role::ALL[..] } else { &self.roles };
        let mut plans = Vec::new();
        for seed in seeds {
            for store in self.stores() {
                plans.extend(roles.iter().map(|role| Plan { store, role: *role, seed }));
            }
        }
        plans
    }

    /// The duration of one of `runs` runs, in seconds.
    fn share(&self, runs: usize) -> Option<u32> {
        let runs = u32::try_from(runs).unwrap_or(u32::MAX).max(1);
        self.max_time.map(|all| (all / runs).max(1))
    }
}

const SQLITE: &str = "sqlite";
const POSTGRES: &str = "postgres";

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
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
    fn default_plan_covers_each_role_on_each_store() {
        let plans = parsed(&[]).plans();
        assert_eq!(plans.len(), 8);
        assert_eq!(plans[0], Plan { store: "sqlite", role: Role::Anonymous, seed: 1 });
        assert_eq!(plans[7], Plan { store: "postgres", role: Role::Admin, seed: 1 });
    }

    #[test]
    fn seeds_run_in_order_and_share_the_time() {
        let contract = parsed(&["--seeds", "3", "--role", "admin", "--store", "sqlite", "--max-time", "60"]);
        let seeds: Vec<_> = contract.plans().iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [1, 2, 3]);
        assert_eq!(contract.share(3), Some(20));
        let chosen = parsed(&["--seed", "7", "--seed", "9", "--role", "viewer", "--store", "postgres"]);
        let seeds: Vec<_> = chosen.plans().iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [7, 9]);
    }
}
