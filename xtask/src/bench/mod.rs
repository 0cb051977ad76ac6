//! `cargo xtask bench`: measures what Rollbook promises about speed, as ratios that hold on any machine.

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

/// Measure release builds against their bounds; fails when one is missed
#[derive(Debug, Args)]
pub struct Bench {
    /// Which; without a name all of them
    #[arg(value_enum)]
    names: Vec<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// One student read with a token, compared with a poem program that answers a constant (needs `wrk`)
    Throughput,
    /// Compare the response times of a wrong password, a disabled user and an unknown user: they must be indistinguishable
    Login,
    /// Reads with a token while others flood the server with logins, and the logins compared with argon2 alone
    Flood,
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let names = if self.names.is_empty() { Name::value_variants() } else { self.names.as_slice() };
        if names.contains(&Name::Throughput) {
            // Before minutes of building.
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
            let (what, held) = match name {
                Name::Throughput => ("throughput", throughput::measure().await?),
                Name::Login => ("login", login::measure().await?),
                Name::Flood => ("flood", flood::measure().await?),
            };
            if !held {
                missed.push(what);
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format_args!("out of bounds: {}", missed.join(", "))))
    }
}

/// Prints a ratio with its bounds; says whether it lies within them.
fn judge(what: &str, ratio: f64, bounds: &RangeInclusive<f64>) -> bool {
    let held = bounds.contains(&ratio);
    let bound = if bounds.end().is_finite() {
        format!("{:.2} to {:.2}", bounds.start(), bounds.end())
    } else {
        format!("at least {:.2}", bounds.start())
    };
    println!("{what}: ratio {ratio:.3}, bound {bound}: {}", if held { "held" } else { "MISSED" });
    held
}

/// The middle of the values, or the mean of the two in the middle; not a number where there are none.
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
    fn the_median_is_the_middle_of_the_sorted_values() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn what_could_not_be_measured_holds_no_bound() {
        assert!(!judge("nothing", median(Vec::new()), &(0.4..=f64::INFINITY)));
        assert!(judge("enough", 0.4, &(0.4..=f64::INFINITY)));
        assert!(!judge("too slow", 1.11, &(0.9..=1.1)));
    }
}
