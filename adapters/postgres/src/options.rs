//! Connection options.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::OpenError;
use crate::connector::Connector;
use crate::url::DatabaseUrl;

/// Options of [`PostgresStore::connect`](crate::PostgresStore::connect).
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port,host:port/database?sslmode=…`, each part percent-encoded. May contain a password, so
    /// it is excluded from `Debug` and error texts.
    pub url: String,
    /// Name of the schema, created if absent: 1 to 63 of `a-z`, `0-9` and `_`, not starting with a digit. `None` uses the
    /// server's `search_path`.
    pub schema: Option<String>,
    /// Whether a missing schema is created. An existing one is migrated in any case.
    pub create: bool,
    /// Maximum number of connections that requests share. Half of them run writes, and fewer than half of them searches, at
    /// most. The invalidation feed has two more.
    pub pool_size: NonZeroUsize,
    /// Maximum wait for a server that does not accept connections yet.
    pub wait: Duration,
    /// Maximum delay before a revocation on another node takes effect here, within [`Options::REVOCATION_BOUNDS`]. The node
    /// sends a heartbeat every quarter of it.
    pub revocation_bound: Duration,
}

impl Options {
    /// Default of [`Options::pool_size`].
    pub const DEFAULT_POOL_SIZE: NonZeroUsize = NonZeroUsize::new(8).unwrap();

    /// Range of [`Options::pool_size`] that leaves a connection for look-ups.
    pub const POOL_SIZES: RangeInclusive<usize> = 3..=1_000;

    /// Default of [`Options::revocation_bound`].
    pub const DEFAULT_REVOCATION_BOUND: Duration = Duration::from_secs(1);

    /// Accepted range of [`Options::revocation_bound`]. Network jitter alone would exceed a shorter bound.
    pub const REVOCATION_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

    /// Default options for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
            create: true,
            pool_size: Self::DEFAULT_POOL_SIZE,
            wait: Duration::ZERO,
            revocation_bound: Self::DEFAULT_REVOCATION_BOUND,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

/// Validated options: how to connect, and a name for error texts.
pub(crate) struct Target {
    pub connector: Connector,
    /// Hosts, ports and database, without username and password. A place with an `@` or a `%` is not quoted, because it
    /// contains them if the separators of the URL are percent-encoded.
    pub place: String,
}

impl Target {
    pub fn parse(options: &Options) -> Result<Self, OpenError> {
        if !Options::REVOCATION_BOUNDS.contains(&options.revocation_bound) {
            return Err(OpenError::RevocationBound);
        }
        let schema = options.schema.as_deref().map(quoted).transpose()?;
        let DatabaseUrl { hosts, requires_writes } = DatabaseUrl::parse(&options.url)?;
        let place = place(&hosts);
        let connector = Connector { hosts: hosts.into(), preferred: Arc::default(), requires_writes, schema };
        Ok(Self { connector, place })
    }
}

fn quoted(schema: &str) -> Result<String, OpenError> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let is_valid = (1..=63).contains(&schema.len()) && schema.bytes().all(is_allowed);
    if !is_valid || schema.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(OpenError::SchemaName);
    }
    Ok(format!("\"{schema}\""))
}

fn place(hosts: &[PgConnectOptions]) -> String {
    let servers = hosts.iter().map(|host| match host.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", host.get_host(), host.get_port()),
    });
    let servers = servers.collect::<Vec<_>>().join(",");
    // Without a name in the URL, the database is that of the username.
    let database = hosts.first().and_then(PgConnectOptions::get_database);
    let place = database.map_or_else(|| servers.clone(), |database| format!("{servers}/{database}"));
    if place.contains(['@', '%']) { "the server in the URL".to_owned() } else { place }
}

/// Hosts, ports and database of a URL, without username, password and parameters.
///
/// # Errors
/// [`OpenError`] without a quotation of the URL.
pub fn location(url: &str) -> Result<String, OpenError> {
    Ok(place(&DatabaseUrl::parse(url)?.hosts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, OpenError> {
        Target::parse(&Options::new(url))
    }

    #[test]
    fn place_omits_username_and_password() {
        let place = |url| target(url).unwrap().place;
        assert_eq!(place("postgres://asha:s3cret@db.example:5433/roll"), "db.example:5433/roll");
        assert_eq!(place("postgresql://asha:s3cret@%2Frun%2Fpg/roll"), "/run/pg/roll");
        assert_eq!(place("postgres://asha:s%2F3%40cret@[::1]:5433/roll?sslmode=require"), "[::1]:5433/roll");
        assert_eq!(place("postgres://asha:s3cret@db"), "db:5432");
        assert_eq!(place("postgres://asha%3As3cret%40db/roll"), "the server in the URL");
        assert_eq!(place("postgres://asha@db/s3cret%40x"), "the server in the URL");
    }

    #[test]
    fn invalid_url_is_rejected_without_quoting_it() {
        for url in [
            "",
            "roll",
            "mysql://asha:s3cret@db/roll",
            "postgres://asha:s3cret@db:port/roll",
            "postgres://asha:12/s3cret@db/roll",
            "postgres://asha:12#s3cret@db/roll",
            "postgres://asha:12?s3cret@db/roll",
            "postgres://asha@db/roll?sslmode=s3cret",
            "postgres://asha:p@x/s3cret@db/roll",
            "postgres://asha:p@x/a?s3cret@db/roll",
            "postgres://asha@db/roll?application_name=s3cret@db",
        ] {
            let error = target(url).err().unwrap();
            assert!(matches!(error, OpenError::Url), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{url}");
        }
    }

    #[test]
    fn debug_output_of_options_omits_url() {
        let options = Options::new("postgres://asha:s3cret@db/roll");
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn schema_name_is_restricted_to_plain_identifiers() {
        assert_eq!(quoted("test_7").unwrap(), "\"test_7\"");
        for wrong in ["", "7", "Test", "a b", "a\"b", "é", &"x".repeat(64)] {
            assert!(matches!(quoted(wrong), Err(OpenError::SchemaName)), "{wrong:?}");
        }
    }
}
