//! What a flood of logins leaves to those who have a token, and what it gets itself.

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
use super::{judge, median};
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{built, program};

/// Connections that log in, each to an account of its own, one login after the other.
const FLOOD: usize = 16;
/// The flood and bare argon2 are measured so often, in turns, so that a slow spell of the machine meets both.
const ROUNDS: usize = 3;
const SPELL: Duration = Duration::from_secs(8);
/// One GET each: far below what the server can answer, so that what is measured is its patience.
const PACE: Duration = Duration::from_millis(4);
/// Logins, as a share of the hashes that argon2 alone makes on as many threads as it is given.
const MIN_RATIO: f64 = 0.9;
const PATH: &str = "/students/1";

/// Measures, prints, and says whether the bound holds.
pub async fn measure() -> Result<bool> {
    let server = Server::demo_behind_proxy().await?;
    let mut administrator = Administrator::of(&server).await?;
    for number in 0..FLOOD {
        administrator.add(&format!("flood{number}")).await?;
    }
    let token = server.log_in("shantanu").await?;
    let (mut idle, mut flooded, mut logins, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("xtask: round {round} of {ROUNDS}");
        idle.extend(latencies(&server, &token).await?);
        let flood = Flood::begin(&server).await?;
        flooded.extend(latencies(&server, &token).await?);
        logins.push(flood.end().await?);
        hashes.push(bare_argon2().await?);
    }
    let (idle, flooded) = (p99(idle), p99(flooded));
    println!(
        "flood: p99 of GET {PATH} {idle:.2} ms idle, {flooded:.2} ms under {FLOOD} connections that log in: ratio {:.2}",
        flooded / idle
    );
    println!("flood: {logins:.1?} logins, bare argon2 {hashes:.1?} hashes a second");
    let bounds: RangeInclusive<f64> = MIN_RATIO..=f64::INFINITY;
    // Round by round, for the machine's own pace changes from one to the next.
    let ratios = logins.iter().zip(&hashes).map(|(logins, hashes)| logins / hashes).collect();
    Ok(judge("flood, logins to bare hashes, median of the rounds", median(ratios), &bounds))
}

/// Logins that go on until they are ended.
struct Flood {
    since: Instant,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
    tasks: JoinSet<Result<()>>,
}

impl Flood {
    async fn begin(server: &Server) -> Result<Self> {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut tasks = JoinSet::new();
        for number in 0..FLOOD {
            let connection = server.connect().await?;
            tasks.spawn(log_in(connection, number, Arc::clone(&stop), Arc::clone(&done)));
        }
        Ok(Self { since: Instant::now(), stop, done, tasks })
    }

    /// How many logins there were a second.
    async fn end(mut self) -> Result<f64> {
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
        let answer = connection.post("/login", &body).await.or_fail("POST /login")?;
        if answer.status != 200 {
            return Err(Failure::new(format_args!("POST /login responded {} instead of 200", answer.status)));
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// How many milliseconds each of a spell's GETs took, from when it was due: one that waits for the one before it counts
/// its wait.
async fn latencies(server: &Server, token: &str) -> Result<Vec<f64>> {
    let mut connection = server.connect().await?;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + SPELL;
    let mut took = Vec::new();
    while Instant::now() < end {
        let due = pace.tick().await;
        let answer = connection.get(PATH, Some(token)).await.or_fail(PATH)?;
        took.push(due.elapsed().as_secs_f64() * 1000.0);
        if answer.status != 200 {
            return Err(Failure::new(format_args!("GET {PATH} responded {} instead of 200", answer.status)));
        }
    }
    Ok(took)
}

/// How many hashes argon2 makes a second with nothing around it, on as many threads as the server gives it.
async fn bare_argon2() -> Result<f64> {
    let mut bare = program(built("release", "examples/bare_argon2")?);
    bare.arg(SPELL.as_secs().to_string());
    read("bare_argon2", bare).await?.trim().parse().or_fail("bare_argon2")
}

/// What 99 of 100 values do not exceed; not a number where there are none.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * 99).div_ceil(100);
    rank.checked_sub(1).and_then(|index| values.get(index)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_in_a_hundred_may_exceed_the_p99() {
        assert!((p99((1..=200).rev().map(f64::from).collect()) - 198.0).abs() < f64::EPSILON);
        assert!((p99(vec![7.0]) - 7.0).abs() < f64::EPSILON);
        assert!(p99(Vec::new()).is_nan());
    }
}
