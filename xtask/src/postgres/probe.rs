//! Checks whether a PostgreSQL server accepts connections.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Error};
use tokio::time::{sleep, timeout};

/// Timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(50);
/// `cannot_connect_now` and `too_many_connections`.
const TEMPORARY: [&str; 2] = ["57P03", "53300"];

/// Connects once and returns the server's version, as in `15.18`.
///
/// # Errors
/// A message. `true` with it means that the cause is temporary: the port is closed, or the server is still starting.
pub async fn once(options: &PgConnectOptions) -> Result<String, (String, bool)> {
    let version = async {
        let mut connection = options.connect().await?;
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(version.split(' ').next().unwrap_or_default().to_owned())
    };
    match timeout(ATTEMPT, version).await {
        Err(_) => Err(("no response".to_owned(), true)),
        Ok(version) => version.map_err(|error: Error| {
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
            let temporary = match (&error, code) {
                // Docker's proxy accepts a connection and closes it while the server starts.
                (Error::Io(_) | Error::Protocol(_), _) => true,
                (_, Some(code)) => TEMPORARY.contains(&&*code),
                _ => false,
            };
            (error.to_string(), temporary)
        }),
    }
}

/// Retries until the connection succeeds, the server rejects it, or `bound` has passed.
pub async fn until_ready(options: &PgConnectOptions, bound: Duration) -> Result<String, String> {
    let since = Instant::now();
    loop {
        match once(options).await {
            Err((_, true)) if since.elapsed() < bound => sleep(POLL).await,
            outcome => return outcome.map_err(|(reason, _)| reason),
        }
    }
}
