//! Throughput of reading a student, compared with poem alone.

use tokio::process::Command;

use super::{DEMO, is_within, percentile};
use crate::failure::{Failure, Result};
use crate::process::read;
use crate::server::Server;
use crate::workspace::{built, program};

/// Rounds of alternating measurements, so that a temporary slowdown of the machine affects both programs.
const ROUNDS: usize = 3;
/// Minimum ratio of the request rate to that of the bare program.
const MIN_RATIO: f64 = 0.40;
const PATH: &str = "/students/1";

/// Checks that `wrk` is installed.
pub async fn require_wrk() -> Result<()> {
    // The exit status is ignored: wrk exits with an error even for `--version`.
    let mut wrk = Command::new("wrk");
    let found = wrk.arg("--version").output().await;
    found.map(drop).map_err(|_| Failure::new("wrk is not on PATH: install the package wrk"))
}

/// Measures and prints; returns whether the ratio is within its bound.
pub async fn measure() -> Result<bool> {
    let rollbook = Server::rollbook("release", &DEMO).await?;
    let mut bare = program(built("release", "examples/bare_poem")?);
    let bare = Server::start("bare_poem", |address| {
        bare.arg(address.to_string());
        bare
    })
    .await?;
    let client = rollbook.log_in("shantanu").await?;
    client.get(PATH).await?;
    bare.client()?.get("/").await?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("xtask: round {round} of {ROUNDS}");
        ours.push(load(&rollbook.url(), PATH, client.token.as_deref()).await?);
        theirs.push(load(&bare.url(), "/", None).await?);
    }
    println!("throughput: GET {PATH} {ours:.0?}, bare poem {theirs:.0?} requests per second");
    let [ours, theirs] = [ours, theirs].map(|rates| percentile(50, rates));
    println!("throughput: medians {ours:.0} and {theirs:.0}");
    Ok(is_within("throughput", ours / theirs, &(MIN_RATIO..=f64::INFINITY)))
}

/// Requests per second over ten seconds, on 16 connections from one thread.
async fn load(base: &str, path: &str, token: Option<&str>) -> Result<f64> {
    let mut wrk = program("wrk");
    wrk.args(["-t1", "-c16", "-d10s"]);
    if let Some(token) = token {
        wrk.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    wrk.arg(format!("{base}{path}"));
    rate(&read("wrk", wrk).await?)
}

/// Parses the request rate from wrk's report.
///
/// # Errors
/// The report contains failed requests or no rate.
fn rate(report: &str) -> Result<f64> {
    let failure = report.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
    if let Some(failure) = failure {
        return Err(Failure::new(format_args!("wrk: {failure}")));
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
    fn rate_is_read_from_a_report_without_failures() {
        assert!((rate(REPORT).unwrap() - 60_600.25).abs() < 0.001);
        assert!(rate("").is_err());
        for failure in ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"] {
            assert!(rate(&format!("{failure}{REPORT}")).is_err(), "{failure}");
        }
    }
}
