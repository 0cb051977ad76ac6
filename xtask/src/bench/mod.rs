//! `cargo xtask bench`: performance benchmarks with bounds. All bounds are ratios, so that they apply to any machine.

mod flood;
mod login;
mod throughput;

use std::ops::RangeInclusive;

use clap::{Args, ValueEnum};

use reqwest::Method;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::process::run;
use crate::server::Client;
use crate::workspace::cargo;

/// Arguments of a demo server with the maximum request quota, which trusts `X-Forwarded-For`.
const DEMO: [&str; 5] = ["--demo", "--request-quota", "10000000", "--trusted-proxy", "127.0.0.1/32"];
/// Password of created users.
const PASSWORD: &str = "slow river under seven bridges";

/// Benchmark release builds; fails if a result is out of bounds
#[derive(Debug, Args)]
pub struct Bench {
    /// Benchmarks to run [default: all]
    #[arg(value_enum)]
    names: Vec<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Compare reading a student with a poem program that returns a constant (needs `wrk`)
    Throughput,
    /// Compare the response times of logins with a wrong password, a disabled user and an unknown user
    Login,
    /// Measure read latency during a flood of logins, and compare the login rate with argon2 alone
    Flood,
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let names = if self.names.is_empty() { Name::value_variants() } else { self.names.as_slice() };
        if names.contains(&Name::Throughput) {
            // Before the build, which takes minutes.
            throughput::require_wrk().await?;
            run("cargo build", cargo(["build", "--release", "-p", "app", "--example", "bare_poem"])).await?;
        }
        if names.contains(&Name::Flood) {
            run("cargo build", cargo(["build", "--release", "-p", "adapter-argon2", "--example", "bare_argon2"]))
                .await?;
        }
        run("cargo build", cargo(["build", "--release", "-p", "app"])).await?;
        let mut missed = Vec::new();
        for name in names {
            let (label, within) = match name {
                Name::Throughput => ("throughput", throughput::measure().await?),
                Name::Login => ("login", login::measure().await?),
                Name::Flood => ("flood", flood::measure().await?),
            };
            if !within {
                missed.push(label);
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format_args!("out of bounds: {}", missed.join(", "))))
    }
}

/// Prints a ratio with its bounds and returns whether it is within them.
fn is_within(label: &str, ratio: f64, bounds: &RangeInclusive<f64>) -> bool {
    let within = bounds.contains(&ratio);
    let bound = if bounds.end().is_finite() {
        format!("{:.2} to {:.2}", bounds.start(), bounds.end())
    } else {
        format!("at least {:.2}", bounds.start())
    };
    println!("{label}: ratio {ratio:.3}, bound {bound}: {}", if within { "ok" } else { "FAILED" });
    within
}

/// The smallest value that is not exceeded by `percent` of the values (nearest rank), or NaN without values.
fn percentile(percent: usize, mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100);
    rank.checked_sub(1).and_then(|index| values.get(index)).copied().unwrap_or(f64::NAN)
}

/// Creates a viewer in the demo; `client` is an administrator. Returns its id.
async fn create_user(client: &Client, username: &str) -> Result<i64> {
    let user = json!({"username": username, "password": PASSWORD, "role": "viewer"});
    let created = client.send(Method::POST, "/users", &[], Some(&user), 201).await?;
    created["id"].as_i64().ok_or_else(|| Failure::new("the new user has no id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_nearest_rank() {
        assert!((percentile(50, vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((percentile(99, (1..=200).rev().map(f64::from).collect()) - 198.0).abs() < f64::EPSILON);
        assert!(percentile(99, Vec::new()).is_nan());
    }

    #[test]
    fn ratio_that_is_nan_is_out_of_bounds() {
        assert!(!is_within("nothing", percentile(50, Vec::new()), &(0.4..=f64::INFINITY)));
        assert!(is_within("enough", 0.4, &(0.4..=f64::INFINITY)));
        assert!(!is_within("too slow", 1.11, &(0.9..=1.1)));
    }
}
