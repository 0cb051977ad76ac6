//! `cargo xtask bench`: performance benchmarks with bounds. All bounds are ratios, so that they apply to any machine.

mod accounts;
mod flood;
mod http;
mod login;
mod server;
mod throughput;

use std::ops::RangeInclusive;

use clap::{Args, ValueEnum};

use crate::failure::{Failure, Result};
use crate::process::run;
use crate::workspace::cargo;

pub use server::Server;

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

/// The median, or NaN without values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => f64::NAN,
        odd if odd.len() % 2 == 1 => odd[middle],
        even => f64::midpoint(even[middle - 1], even[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_middle_of_sorted_values() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn ratio_that_is_nan_is_out_of_bounds() {
        assert!(!is_within("nothing", median(Vec::new()), &(0.4..=f64::INFINITY)));
        assert!(is_within("enough", 0.4, &(0.4..=f64::INFINITY)));
        assert!(!is_within("too slow", 1.11, &(0.9..=1.1)));
    }
}
