//! Read latency and login throughput under a flood of logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::{DEMO, PASSWORD, create_user, is_within, percentile};
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::server::{Client, Server};
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
    let server = Server::rollbook("release", &DEMO).await?;
    let administrator = server.log_in("admin").await?;
    for number in 0..FLOOD {
        create_user(&administrator, &format!("flood{number}")).await?;
    }
    let client = server.log_in("shantanu").await?;
    let (mut idle, mut flooded, mut logins, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("xtask: round {round} of {ROUNDS}");
        idle.extend(latencies(&client).await?);
        let flood = Flood::start(&server)?;
        flooded.extend(latencies(&client).await?);
        logins.push(flood.stop()?);
        hashes.push(bare_argon2().await?);
    }
    let [idle, flooded] = [idle, flooded].map(|latencies| percentile(99, latencies));
    println!(
        "flood: p99 of GET {PATH} {idle:.2} ms idle, {flooded:.2} ms during logins on {FLOOD} connections: ratio {:.2}",
        flooded / idle
    );
    println!("flood: {logins:.1?} logins, bare argon2 {hashes:.1?} hashes per second");
    // The speed of the machine may change from round to round, so the ratio is computed for each round.
    let ratios = logins.iter().zip(&hashes).map(|(logins, hashes)| logins / hashes).collect();
    let ratio = percentile(50, ratios);
    Ok(is_within("flood, logins to bare hashes, median of the rounds", ratio, &(MIN_RATIO..=f64::INFINITY)))
}

/// Connections that log in repeatedly until this is dropped.
struct Flood {
    since: Instant,
    done: Arc<AtomicU32>,
    tasks: JoinSet<Failure>,
}

impl Flood {
    fn start(server: &Server) -> Result<Self> {
        let done = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..FLOOD {
            tasks.spawn(log_in_repeatedly(server.client()?, number, Arc::clone(&done)));
        }
        Ok(Self { since: Instant::now(), done, tasks })
    }

    /// Stops the flood and returns the logins per second.
    fn stop(mut self) -> Result<f64> {
        let rate = f64::from(self.done.load(Ordering::Relaxed)) / self.since.elapsed().as_secs_f64();
        match self.tasks.try_join_next() {
            None => Ok(rate),
            Some(ended) => Err(ended.or_fail("a login")?),
        }
    }
}

async fn log_in_repeatedly(client: Client, number: usize, done: Arc<AtomicU32>) -> Failure {
    let credentials = json!({"Username": format!("flood{number}"), "Password": PASSWORD});
    loop {
        if let Err(failure) = client.send(Method::POST, "/login", &[], Some(&credentials), 200).await {
            return failure;
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Latencies in milliseconds, counted from the scheduled time of each request: they include the wait for the previous
/// request.
async fn latencies(client: &Client) -> Result<Vec<f64>> {
    let mut schedule = interval(INTERVAL);
    let end = Instant::now() + DURATION;
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let due = schedule.tick().await;
        client.get(PATH).await?;
        latencies.push(due.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(latencies)
}

/// Hashes per second of argon2 alone, on as many threads as the server uses.
async fn bare_argon2() -> Result<f64> {
    let mut bare = program(built("release", "examples/bare_argon2")?);
    bare.arg(DURATION.as_secs().to_string());
    read("bare_argon2", bare).await?.trim().parse().or_fail("bare_argon2")
}
