//! `cargo xtask contract`: schemathesis against a server in contract mode, on each store, as each role.

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
use schemathesis::{Pace, Schemathesis};
use server::Server;
use tally::Tally;

/// Test the server against its document with schemathesis, on each store, as each role
#[derive(Debug, Args)]
pub struct Contract {
    /// A seed of what is generated; may be repeated [default: 1]
    #[arg(long = "seed", value_name = "NUMBER")]
    seeds: Vec<u32>,
    /// The seeds 1 to NUMBER, one after the other
    #[arg(long = "seeds", value_name = "NUMBER", conflicts_with = "seeds")]
    count: Option<u32>,
    /// On which store
    #[arg(long, value_enum, default_value_t = Stores::Both)]
    store: Stores,
    /// As whom; may be repeated [default: all four]
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<Role>,
    /// Seconds for all runs together: each is given its share, and uses it up
    #[arg(long, value_name = "SECONDS", conflicts_with = "max_examples")]
    max_time: Option<u32>,
    /// The most generated cases of an operation and phase
    #[arg(long, value_name = "NUMBER", default_value_t = 25)]
    max_examples: u32,
    /// Where Postgres comes from
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    postgres: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stores {
    Sqlite,
    Postgres,
    Both,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    Anonymous,
    Viewer,
    Registrar,
    Admin,
}

impl Role {
    const ALL: [Self; 4] = [Self::Anonymous, Self::Viewer, Self::Registrar, Self::Admin];

    /// As the document spells it.
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
        // First, so that a machine without PostgreSQL fails immediately.
        let postgres = match self.store {
            Stores::Sqlite => None,
            Stores::Postgres | Stores::Both => Some(postgres::Server::provide(self.postgres).await?),
        };
        run("cargo build", cargo(["build", "--release", "-p", "app"])).await?;
        let url_of = |store| postgres.as_ref().filter(|_| store == POSTGRES).map(|server| server.url.as_str());
        let tool = Schemathesis::installed().await?;
        let promises = Promises::read(tool.document())?;
        let plans = self.plans();
        let pace = Pace { max_examples: self.max_examples, max_time: self.share(plans.len()) };
        let mut report = Report::default();
        for (number, plan) in plans.iter().enumerate() {
            let since = Instant::now();
            let server = Server::start(url_of(plan.store)).await?;
            let outcome = tool.run(*plan, &server, pace).await?;
            drop(server);
            let tally = Tally::read(&outcome)?;
            let Plan { store, role, seed } = plan;
            let (cases, good, failures) = (tally.cases, tally.successes(), tally.failures.len());
            eprintln!(
                "xtask: {}/{} {store}, {}, seed {seed}: {cases} cases, {good} answered 2xx, {failures} failures, {}",
                number + 1,
                plans.len(),
                role.name(),
                seconds(since.elapsed()),
            );
            report.add(*plan, tally, promises.of(*role));
        }
        report.print(&promises);
        if report.failed() == 0 { Ok(()) } else { Err(Failure::new("the contract is broken")) }
    }

    fn stores(&self) -> &'static [&'static str] {
        match self.store {
            Stores::Sqlite => &[SQLITE],
            Stores::Postgres => &[POSTGRES],
            Stores::Both => &[SQLITE, POSTGRES],
        }
    }

    /// Every run, in the order in which they are done.
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

    /// What one of so many runs may take.
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
    fn without_a_choice_each_role_asks_on_each_store_once() {
        let plans = parsed(&[]).plans();
        assert_eq!(plans.len(), 8);
        assert_eq!(plans[0], Plan { store: "sqlite", role: Role::Anonymous, seed: 1 });
        assert_eq!(plans[7], Plan { store: "postgres", role: Role::Admin, seed: 1 });
    }

    #[test]
    fn seeds_come_one_after_the_other_and_share_the_time() {
        let contract = parsed(&["--seeds", "3", "--role", "admin", "--store", "sqlite", "--max-time", "60"]);
        let seeds: Vec<_> = contract.plans().iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [1, 2, 3]);
        assert_eq!(contract.share(3), Some(20));
        let chosen = parsed(&["--seed", "7", "--seed", "9", "--role", "viewer", "--store", "postgres"]);
        let seeds: Vec<_> = chosen.plans().iter().map(|plan| plan.seed).collect();
        assert_eq!(seeds, [7, 9]);
    }
}
