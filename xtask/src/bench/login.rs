//! Whether the time of a refused login tells if the user exists (ASVS 6.3.8).

use std::ops::RangeInclusive;
use std::time::Instant;

use super::http::Connection;
use super::server::Server;
use super::{judge, median};
use crate::failure::{Failure, Result, Settle};

const TRIES: usize = 200;
/// Connections, caches and the decoy hash are warm after so many.
const WARM_UP: usize = 5;
const BOUNDS: RangeInclusive<f64> = 0.9..=1.1;

const KNOWN: &str = r#"{"Username":"shantanu","Password":"not the password"}"#;
const UNKNOWN: &str = r#"{"Username":"nobody","Password":"not the password"}"#;

/// Measures, prints, and says whether the bounds hold.
pub async fn measure() -> Result<bool> {
    let server = Server::demo().await?;
    let mut connection = server.connect().await?;
    eprintln!("xtask: {TRIES} tries of each kind");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + TRIES {
        let times = (refused(&mut connection, KNOWN).await?, refused(&mut connection, UNKNOWN).await?);
        if round >= WARM_UP {
            known.push(times.0);
            unknown.push(times.1);
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    println!("login: medians {known:.2} ms for a wrong password, {unknown:.2} ms for an unknown user");
    Ok(judge("login", known / unknown, &BOUNDS))
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
