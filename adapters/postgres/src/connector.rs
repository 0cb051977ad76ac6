//! Opening connections: tries the hosts of the URL, and prepares the session.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::select_ok;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// Maximum time to open a connection. Allows for one lost SYN packet, which is sent again after 1 s.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Delay before the next host is tried while the one before has not responded.
const NEXT_HOST_DELAY: Duration = Duration::from_millis(200);

/// Opens connections to one of the hosts.
#[derive(Clone)]
pub(crate) struct Connector {
    /// At least one, in the order of the URL.
    pub hosts: Arc<[PgConnectOptions]>,
    /// Index of the host that last accepted a connection, which is tried first.
    pub preferred: Arc<AtomicUsize>,
    /// Whether a host that rejects writes is skipped.
    pub requires_writes: bool,
    /// The schema, quoted for SQL. `None` uses the server's `search_path`.
    pub schema: Option<String>,
}

/// Error of opening a connection.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("no response in time")]
    TimedOut,
    #[error("the server rejects writes")]
    ReadOnly,
    /// The server does not open the session. The message does not contain the username.
    #[error("{message}")]
    Rejected { code: String, message: String },
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
}

impl ConnectError {
    /// Returns `true` if the server does not respond, starts, stops, or rejects writes.
    pub fn is_outage(&self) -> bool {
        self.may_pass() && !self.code().is_some_and(|code| code.starts_with("53"))
    }

    /// Returns `true` if the server may accept a connection later, without another configuration.
    pub fn may_pass(&self) -> bool {
        match self {
            // A proxy may accept a connection and close it while the server starts.
            Self::TimedOut | Self::ReadOnly | Self::Driver(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
            // Too many connections, shutting down, starting up.
            Self::Driver(_) | Self::Rejected { .. } => {
                self.code().is_some_and(|code| code.starts_with("53") || code.starts_with("57P"))
            }
        }
    }

    /// The SQLSTATE of the server's error.
    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Rejected { code, .. } => Some(code.into()),
            Self::Driver(error) => error.as_database_error().and_then(DatabaseError::code),
            _ => None,
        }
    }

    /// The error of opening a session as this user.
    fn opening(error: sqlx::Error, username: &str) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::Rejected {
                code: error.code().unwrap_or_default().into_owned(),
                message: without_word(error.message(), username),
            },
            error => error.into(),
        }
    }
}

/// The text with `…` in place of each occurrence of the word.
fn without_word(text: &str, word: &str) -> String {
    let is_inside_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (mut kept, mut end) = (String::new(), 0);
    for (start, found) in text.match_indices(word).filter(|(_, found)| !found.is_empty()) {
        let after = start + found.len();
        if !is_inside_word(text[..start].chars().next_back()) && !is_inside_word(text[after..].chars().next()) {
            kept.push_str(&text[end..start]);
            kept.push('…');
            end = after;
        }
    }
    kept + &text[end..]
}

/// Limits of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// None, for migrations and notifications.
    None,
    /// Those of requests. They bound how long a request waits for the lock of another, and how long a node that hangs or
    /// disappears holds its locks.
    Requests,
}

impl Limits {
    /// SQL expressions that set the limits, each after a comma.
    const fn sql(self) -> &'static str {
        match self {
            // Those that the role, the database or the server sets would interrupt migrations.
            Self::None => {
                ", set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false), \
                 set_config('idle_in_transaction_session_timeout', '0', false)"
            }
            // Every statement is short: to compile one, or to start processes for it, takes longer. The lock timeout also resolves
            // deadlocks, because it is shorter than `deadlock_timeout` (1 s). The server ends a statement whose connection was
            // closed; not every platform supports that.
            Self::Requests => {
                ", set_config('jit', 'off', false), set_config('max_parallel_workers_per_gather', '0', false), \
                 set_config('lock_timeout', '500ms', false), set_config('statement_timeout', '30s', false), \
                 set_config('idle_in_transaction_session_timeout', '30s', false), \
                 CASE WHEN version() LIKE '%linux%' THEN set_config('client_connection_check_interval', '1s', false) END"
            }
        }
    }
}

impl Connector {
    /// Opens a connection, and returns it with the options of its host.
    pub async fn connect(&self, limits: Limits) -> Result<(PgConnection, &PgConnectOptions), ConnectError> {
        let (first, count) = (self.preferred.load(Ordering::Relaxed), self.hosts.len());
        let attempts = (0..count).zip(0..).map(|(position, delays)| {
            let index = (first + position) % count;
            Box::pin(async move {
                sleep(NEXT_HOST_DELAY * delays).await;
                let opened = timeout(CONNECT_TIMEOUT, self.open(&self.hosts[index], limits)).await;
                let connection = opened.map_err(|_| ConnectError::TimedOut)??;
                self.preferred.store(index, Ordering::Relaxed);
                Ok::<_, ConnectError>((connection, &self.hosts[index]))
            })
        });
        Ok(select_ok(attempts).await?.0)
    }

    /// Opens a connection to one host. The settings are statements, because `PgBouncer` rejects them as startup parameters.
    /// The isolation level matters because a statement after a lock must see what was committed before the lock was granted.
    async fn open(&self, host: &PgConnectOptions, limits: Limits) -> Result<PgConnection, ConnectError> {
        let mut connection = host.connect().await.map_err(|error| ConnectError::opening(error, host.get_username()))?;
        let search_path = self.schema.as_ref().map(|schema| format!(", set_config('search_path', '{schema}', false)"));
        let prepare = format!(
            "SELECT current_setting('transaction_read_only')::bool, \
             set_config('default_transaction_isolation', 'read committed', false){}{}",
            search_path.unwrap_or_default(),
            limits.sql()
        );
        // The schema's name was checked and quoted when the options were parsed.
        let is_read_only: bool = raw_sql(AssertSqlSafe(prepare)).fetch_one(&mut connection).await?.try_get(0)?;
        if self.requires_writes && is_read_only { Err(ConnectError::ReadOnly) } else { Ok(connection) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_messages_contain_no_username() {
        let rejected = "password authentication failed for user \"asha\"";
        assert_eq!(without_word(rejected, "asha"), "password authentication failed for user \"…\"");
        assert_eq!(without_word("für Benutzer »a«", "a"), "für Benutzer »…«");
        assert_eq!(without_word(rejected, ""), rejected);
        assert_eq!(without_word("é", "é"), "…");
    }
}
