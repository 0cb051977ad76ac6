//! Development tasks: `cargo xtask <verb>`.

mod bench;
mod ci;
mod clients;
mod contract;
mod document;
mod failure;
mod gate;
mod log;
mod openapi;
mod postgres;
mod postman;
mod process;
mod server;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use failure::{Failure, Result, Settle};

/// Development tasks of Rollbook; progress is printed to standard error
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Test(test::Test),
    Openapi(openapi::OpenApi),
    Gate(gate::Gate),
    Ci(ci::Ci),
    Advisories(ci::Advisories),
    Contract(contract::Contract),
    Bench(bench::Bench),
    Postman(postman::Postman),
    Clients(clients::Clients),
}

impl Verb {
    async fn run(self) -> Result<()> {
        match self {
            Self::Test(test) => test.run().await,
            Self::Openapi(openapi) => openapi.run().await,
            Self::Gate(gate) => gate.run().await,
            Self::Ci(ci) => ci.run().await,
            Self::Advisories(advisories) => advisories.run().await,
            Self::Contract(contract) => contract.run().await,
            Self::Bench(bench) => bench.run().await,
            Self::Postman(postman) => postman.run().await,
            Self::Clients(clients) => clients.run().await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // On a signal the verb's future is dropped, and with it the guards of all child processes and containers.
    let outcome = tokio::select! {
        outcome = cli.verb.run() => outcome,
        outcome = interrupted() => outcome,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.status().into()
        }
    }
}

/// Returns when the process receives SIGINT, SIGTERM or SIGHUP.
async fn interrupted() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("cannot watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).or_fail("cannot watch for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).or_fail("cannot watch for SIGHUP")?;
    let number = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hangup.recv() => SignalKind::hangup(),
    };
    Err(Failure::Interrupted(number.as_raw_value()))
}
