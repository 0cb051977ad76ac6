//! Whether the time of a refused login tells if the user exists (ASVS 6.3.8).

use std::ops::RangeInclusive;
use std::time::Instant;

use super::http::Connection;
use super::server::Server;
use super::{judge, median};
use crate::failure::{Failure, Result, Settle};

/// Tries in a round, half of each kind.
const ROUND: usize = 8;
/// Rounds that count: 200 tries of each kind.
const ROUNDS: usize = 50;
/// Connections, caches and the decoy hash are warm after so many rounds.
const WARM_UP: usize = 2;
const BOUNDS: RangeInclusive<f64> = 0.9..=1.1;

const KNOWN: &str = r#"{"Username":"shantanu","Password":"not the password"}"#;
const UNKNOWN: &str = r#"{"Username":"nobody","Password":"not the password"}"#;

/// Measures, prints, and says whether the bounds hold.
pub async fn measure() -> Result<bool> {
    let server = Server::demo().await?;
    let mut connection = server.connect().await?;
    eprintln!("xtask: {} tries of each kind", ROUND * ROUNDS / 2);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let (mut known_took, mut unknown_took) = (Vec::new(), Vec::new());
        for number in round * ROUND..(round + 1) * ROUND {
            if is_known(number) {
                known_took.push(refused(&mut connection, KNOWN).await?);
            } else {
                unknown_took.push(refused(&mut connection, UNKNOWN).await?);
            }
        }
        if round >= WARM_UP {
            known.push(mean(&known_took));
            unknown.push(mean(&unknown_took));
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    println!(
        "login: medians of {ROUNDS} rounds {known:.2} ms for a wrong password, {unknown:.2} ms for an unknown user"
    );
    Ok(judge("login", known / unknown, &BOUNDS))
}

/// Which kind a try is: the Thue-Morse sequence. A server's workers take turns and are not equally quick (each has its
/// own memory for hashing); plain alternation would give one kind always to the same worker.
fn is_known(number: usize) -> bool {
    number.count_ones().is_multiple_of(2)
}

fn mean(times: &[f64]) -> f64 {
    let (sum, count) = times.iter().fold((0.0, 0.0), |(sum, count), time| (sum + time, count + 1.0));
    sum / count
}

/// How many milliseconds a login takes to be refused.
async fn refused(connection: &mut Connection, body: &str) -> Result<f64> {
    let since = Instant::now();
    let answer = connection.post("/login", body).await.or_fail("POST /login")?;
    let took = since.elapsed();
    if answer.status != 401 {
        return Err(Failure::told(format_args!("POST /login answered {} where 401 was due", answer.status)));
    }
    Ok(took.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_every_round_both_kinds_meet_each_of_up_to_four_workers_equally() {
        for round in 0..ROUNDS {
            for workers in [1, 2, 4] {
                for worker in 0..workers {
                    let tries = (round * ROUND..(round + 1) * ROUND).filter(|number| number % workers == worker);
                    let known = tries.clone().filter(|number| is_known(*number)).count();
                    assert_eq!(known * 2, tries.count(), "round {round}, worker {worker} of {workers}");
                }
            }
        }
    }

    #[test]
    fn the_mean_is_the_sum_by_the_count() {
        assert!((mean(&[1.0, 2.0, 6.0]) - 3.0).abs() < f64::EPSILON);
    }
}
