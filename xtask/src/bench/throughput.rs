//! How many students a second are read with a token, as a share of what poem alone answers.

use std::net::SocketAddr;

use tokio::process::Command;

use super::server::Server;
use super::{judge, median};
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::program;

/// Both servers are measured so often, in turns, so that a slow spell of the machine meets both.
const ROUNDS: usize = 3;
/// Requests answered, as a share of the bare program's.
const MIN_RATIO: f64 = 0.40;
const PATH: &str = "/students/1";

/// # Errors
/// One line where `wrk` is missing.
pub async fn require_wrk() -> Result<()> {
    // It knows no argument that ends with success: that it starts is enough.
    let mut wrk = Command::new("wrk");
    let found = wrk.arg("--version").output().await;
    found.map(drop).map_err(|_| Failure::new("wrk is not on PATH: install the package wrk"))
}

/// Measures, prints, and says whether the bound holds.
pub async fn measure() -> Result<bool> {
    let (rollbook, bare) = (Server::demo().await?, Server::bare().await?);
    let token = rollbook.log_in("shantanu").await?;
    verify(&rollbook, PATH, Some(&token)).await?;
    verify(&bare, "/", None).await?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("xtask: round {round} of {ROUNDS}");
        ours.push(load(rollbook.address, PATH, Some(&token)).await?);
        theirs.push(load(bare.address, "/", None).await?);
    }
    println!("throughput: GET {PATH} {ours:.0?}, bare poem {theirs:.0?} requests a second");
    let (ours, theirs) = (median(ours), median(theirs));
    println!("throughput: medians {ours:.0} and {theirs:.0}");
    Ok(judge("throughput", ours / theirs, &(MIN_RATIO..=f64::INFINITY)))
}

/// Makes sure that what is about to be measured is the right answer.
async fn verify(server: &Server, path: &str, token: Option<&str>) -> Result<()> {
    let answer = server.connect().await?.get(path, token).await.or_fail(path)?;
    if answer.status == 200 && !answer.body.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format_args!("GET {path} answered {} with {} bytes", answer.status, answer.body.len())))
}

/// Ten seconds of 16 connections from one thread: requests a second.
async fn load(address: SocketAddr, path: &str, token: Option<&str>) -> Result<f64> {
    let mut wrk = program("wrk");
    wrk.args(["-t1", "-c16", "-d10s"]);
    if let Some(token) = token {
        wrk.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    wrk.arg(format!("http://{address}{path}"));
    rate(&read("wrk", wrk).await?)
}

/// The rate that wrk reports, unless it reports failures, too.
fn rate(report: &str) -> Result<f64> {
    let fault = report.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
    if let Some(fault) = fault {
        return Err(Failure::new(format_args!("wrk: {fault}")));
    }
    let rate = report.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
    rate.ok_or_else(|| Failure::new("wrk reports no rate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 10s test @ http://127.0.0.1:8000/\n  1 threads and 16 connections\n  \
        605000 requests in 10.00s, 99.00MB read\nRequests/sec:  60600.25\nTransfer/sec:      9.90MB\n";

    #[test]
    fn the_rate_is_read_from_the_report() {
        assert!((rate(REPORT).unwrap() - 60_600.25).abs() < 0.001);
        assert!(rate("").is_err());
    }

    #[test]
    fn a_report_with_failures_is_no_measurement() {
        for fault in ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"] {
            assert!(rate(&format!("{fault}{REPORT}")).is_err(), "{fault}");
        }
    }
}
