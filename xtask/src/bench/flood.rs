//! Read latency and login throughput under a flood of logins.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::accounts::{Administrator, PASSWORD};
use super::http::Connection;
use super::server::Server;
use super::{is_within, median};
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{built, program};

/// Number of connections that log in repeatedly, each to its own account.
const FLOOD: usize = 16;
/// Rounds of alternating measurements, so that a temporary slowdown of the machine affects both programs.
const ROUNDS: usize = 3;
/// Duration of one measurement.
const DURATION: Duration = Duration::from_secs(8);
/// Interval between GET requests: far below the capacity of the server, so that latency is measured, not throughput.
const INTERVAL: Duration = Duration::from_millis(4);
/// Minimum ratio of logins to the hashes of argon2 alone, on the same number of threads.
const MIN_RATIO: f64 = 0.9;
const PATH: &str = "/students/1";

/// Measures and prints; returns whether the ratio is within its bound.
pub async fn measure() -> Result<bool> {
    let server = Server::demo_behind_proxy().await?;
    let mut administrator = Administrator::log_in(&server).await?;
    for number in 0..FLOOD {
        administrator.add(&format!("flood{number}")).await?;
    }
    let token = server.log_in("shantanu").await?;
    let (mut idle, mut flooded, mut logins, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("xtask: round {round} of {ROUNDS}");
        idle.extend(latencies(&server, &token).await?);
        let flood = Flood::start(&server).await?;
        flooded.extend(latencies(&server, &token).await?);
        logins.push(flood.stop().await?);
        hashes.push(bare_argon2().await?);
    }
    let (idle, flooded) = (p99(idle), p99(flooded));
    println!(
        "flood: p99 of GET {PATH} {idle:.2} ms idle, {flooded:.2} ms during logins on {FLOOD} connections: ratio {:.2}",
        flooded / idle
    );
    println!("flood: {logins:.1?} logins, bare argon2 {hashes:.1?} hashes per second");
    let bounds: RangeInclusive<f64> = MIN_RATIO..=f64::INFINITY;
    // The speed of the machine may change from round to round, so the ratio is computed for each round.
    let ratios = logins.iter().zip(&hashes).map(|(logins, hashes)| logins / hashes).collect();
    Ok(is_within("flood, logins to bare hashes, median of the rounds", median(ratios), &bounds))
}

/// Connections that log in repeatedly until stopped.
struct Flood {
    since: Instant,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
    tasks: JoinSet<Result<()>>,
}

impl Flood {
    async fn start(server: &Server) -> Result<Self> {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut tasks = JoinSet::new();
        for number in 0..FLOOD {
            let connection = server.connect().await?;
            tasks.spawn(log_in(connection, number, Arc::clone(&stop), Arc::clone(&done)));
        }
        Ok(Self { since: Instant::now(), stop, done, tasks })
    }

    /// Stops the flood and returns the logins per second.
    async fn stop(mut self) -> Result<f64> {
        let (done, took) = (self.done.load(Ordering::Relaxed), self.since.elapsed());
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.or_fail("a login")??;
        }
        Ok(f64::from(done) / took.as_secs_f64())
    }
}

async fn log_in(mut connection: Connection, number: usize, stop: Arc<AtomicBool>, done: Arc<AtomicU32>) -> Result<()> {
    let body = json!({"Username": format!("flood{number}"), "Password": PASSWORD}).to_string();
    while !stop.load(Ordering::Relaxed) {
        let response = connection.post("/login", &body).await.or_fail("POST /login")?;
        if response.status != 200 {
            return Err(Failure::new(format_args!("POST /login responded {} instead of 200", response.status)));
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Latencies in milliseconds, counted from the scheduled time of each request: they include the wait for the previous
/// request.
async fn latencies(server: &Server, token: &str) -> Result<Vec<f64>> {
    let mut connection = server.connect().await?;
    let mut schedule = interval(INTERVAL);
    schedule.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + DURATION;
    let mut took = Vec::new();
    while Instant::now() < end {
        let due = schedule.tick().await;
        let response = connection.get(PATH, Some(token)).await.or_fail(PATH)?;
        took.push(due.elapsed().as_secs_f64() * 1000.0);
        if response.status != 200 {
            return Err(Failure::new(format_args!("GET {PATH} responded {} instead of 200", response.status)));
        }
    }
    Ok(took)
}

/// Hashes per second of argon2 alone, on as many threads as the server uses.
async fn bare_argon2() -> Result<f64> {
    let mut bare = program(built("release", "examples/bare_argon2")?);
    bare.arg(DURATION.as_secs().to_string());
    read("bare_argon2", bare).await?.trim().parse().or_fail("bare_argon2")
}

/// The 99th percentile by the nearest-rank method, or NaN without values.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * 99).div_ceil(100);
    rank.checked_sub(1).and_then(|index| values.get(index)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p99_is_exceeded_by_one_value_in_a_hundred() {
        assert!((p99((1..=200).rev().map(f64::from).collect()) - 198.0).abs() < f64::EPSILON);
        assert!((p99(vec![7.0]) - 7.0).abs() < f64::EPSILON);
        assert!(p99(Vec::new()).is_nan());
    }
}
