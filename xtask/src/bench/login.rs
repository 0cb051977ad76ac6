//! Whether the response time of a rejected login reveals its cause (ASVS 6.3.8).

use std::ops::RangeInclusive;
use std::time::Instant;

use reqwest::Method;
use serde_json::json;

use super::{DEMO, PASSWORD, create_user, is_within, percentile};
use crate::failure::Result;
use crate::server::{Client, Server};

/// Cause of a rejected login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WrongPassword,
    /// The right password of a disabled user.
    Disabled,
    Unknown,
}

const KINDS: [Kind; 3] = [Kind::WrongPassword, Kind::Disabled, Kind::Unknown];
/// Attempts of each kind in a round, all on one account: throttling starts with the fifth failure.
const ATTEMPTS: u32 = 4;
const ROUND: usize = KINDS.len() * ATTEMPTS as usize;
/// Measured rounds: 200 attempts of each kind.
const ROUNDS: usize = 50;
/// Rounds before the measurement, which warm up connections, caches and the dummy hash.
const WARM_UP: usize = 2;
const BOUNDS: RangeInclusive<f64> = 0.9..=1.1;

/// Measures and prints; returns whether the ratios are within their bounds.
pub async fn measure() -> Result<bool> {
    let server = Server::rollbook("release", &DEMO).await?;
    let administrator = server.log_in("admin").await?;
    for round in 0..WARM_UP + ROUNDS {
        create_user(&administrator, &username(Kind::WrongPassword, round)).await?;
        let id = create_user(&administrator, &username(Kind::Disabled, round)).await?;
        let disabled = json!({"status": "disabled"});
        administrator.send(Method::PATCH, &format!("/users/{id}"), &[], Some(&disabled), 200).await?;
    }
    let client = server.client()?;
    eprintln!("xtask: {} attempts of each kind", ATTEMPTS as usize * ROUNDS);
    let mut means = KINDS.map(|_| Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let mut took = KINDS.map(|_| 0.0);
        for number in 0..ROUND {
            let kind = kind_of(round, number);
            took[kind] += rejection_time(&client, KINDS[kind], round).await?;
        }
        if round >= WARM_UP {
            for (means, took) in means.iter_mut().zip(took) {
                means.push(took / f64::from(ATTEMPTS));
            }
        }
    }
    let [wrong, disabled, unknown] = means.map(|means| percentile(50, means));
    println!(
        "login: medians of {ROUNDS} rounds {wrong:.2} ms for a wrong password, {disabled:.2} ms for a disabled user, \
         {unknown:.2} ms for an unknown one"
    );
    let wrong = is_within("login, wrong password to unknown user", wrong / unknown, &BOUNDS);
    let disabled = is_within("login, disabled to unknown user", disabled / unknown, &BOUNDS);
    Ok(wrong && disabled)
}

/// The kind of an attempt. The server's workers take turns and differ in speed, because each has its own memory for
/// hashing. In every round each of up to four workers processes every kind equally often.
const fn kind_of(round: usize, number: usize) -> usize {
    (round + number + number / ATTEMPTS as usize) % KINDS.len()
}

fn username(kind: Kind, round: usize) -> String {
    match kind {
        Kind::WrongPassword => format!("active{round}"),
        Kind::Disabled => format!("disabled{round}"),
        Kind::Unknown => format!("unknown{round}"),
    }
}

/// Response time of a rejected login in milliseconds.
async fn rejection_time(client: &Client, kind: Kind, round: usize) -> Result<f64> {
    let password = if kind == Kind::Disabled { PASSWORD } else { "slow river under eight bridges" };
    let credentials = json!({"Username": username(kind, round), "Password": password});
    // A different address for each round, so that no address reaches the limit of failures.
    let address = format!("198.51.100.{round}");
    let since = Instant::now();
    client.send(Method::POST, "/login", &[("X-Forwarded-For", &address)], Some(&credentials), 401).await?;
    Ok(since.elapsed().as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_assigns_each_kind_to_each_worker_equally() {
        for round in 0..ROUNDS {
            for workers in [1, 2, 4] {
                for worker in 0..workers {
                    for kind in 0..KINDS.len() {
                        let met = (0..ROUND).filter(|number| number % workers == worker);
                        let met = met.filter(|number| kind_of(round, *number) == kind).count();
                        assert_eq!(
                            met,
                            ATTEMPTS as usize / workers,
                            "round {round}, worker {worker} of {workers}, kind {kind}"
                        );
                    }
                }
            }
        }
    }
}
