//! Where the database is, and how it is to be used.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::OpenError;

/// How to reach the database.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port/database?sslmode=…`, each part percent-encoded. May hold a password,
    /// so it is never shown.
    pub url: String,
    /// A schema of its own to work in, made if it is absent: 1 to 63 of `a-z`, `0-9` and `_`, not beginning with
    /// a digit. `None` leaves the choice to the server's `search_path`.
    pub schema: Option<String>,
    /// The most connections this node holds at once; 0 counts as 1.
    pub max_connections: u32,
    /// How long what another node ends or changes may go on counting here, at most: within
    /// [`Options::REVOCATION_BOUNDS`]. Every quarter of it costs one heartbeat.
    pub revocation_bound: Duration,
}

impl Options {
    /// The most connections unless something else is set.
    pub const DEFAULT_MAX_CONNECTIONS: u32 = 8;

    /// The bound on revocation unless something else is set.
    pub const DEFAULT_REVOCATION_BOUND: Duration = Duration::from_secs(1);

    /// The bounds on revocation that can be kept: a shorter one would be missed at every hiccup, a longer one forgotten.
    pub const REVOCATION_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

    /// The database at `url`, used as is common.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            revocation_bound: Self::DEFAULT_REVOCATION_BOUND,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// A database that was named well: how to reach it, and how to speak of it.
pub(crate) struct Target {
    pub connect: PgConnectOptions,
    /// Host, port and database; never a user's name or password.
    pub place: String,
    /// Quoted for SQL.
    pub schema: Option<String>,
}

impl Target {
    pub fn parse(options: &Options) -> Result<Self, OpenError> {
        check_url(&options.url)?;
        if !Options::REVOCATION_BOUNDS.contains(&options.revocation_bound) {
            return Err(OpenError::RevocationBound);
        }
        // The cause is dropped: it may quote the URL.
        let mut connect = PgConnectOptions::from_str(&options.url).map_err(|_| OpenError::Url)?;
        if connect.get_application_name().is_none() {
            connect = connect.application_name("rollbook");
        }
        let schema = options.schema.as_deref().map(quoted).transpose()?;
        if let Some(schema) = &schema {
            connect = connect.options([("search_path", schema)]);
        }
        let place = place(&connect);
        Ok(Self { connect, place, schema })
    }
}

/// Refuses what is not Postgres's, and a URL whose password holds a bare `/`, `?` or `#`: the rest of
/// such a password would be read as the name of a database, and shown.
fn check_url(url: &str) -> Result<(), OpenError> {
    let (scheme, rest) = url.split_once("://").ok_or(OpenError::Url)?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(OpenError::Url);
    }
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if behind.contains('@') && !authority.contains('@') {
        return Err(OpenError::Url);
    }
    Ok(())
}

fn quoted(schema: &str) -> Result<String, OpenError> {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let named = (1..=63).contains(&schema.len()) && schema.bytes().all(known);
    if !named || schema.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(OpenError::SchemaName);
    }
    Ok(format!("\"{schema}\""))
}

fn place(connect: &PgConnectOptions) -> String {
    let database = connect.get_database().unwrap_or(connect.get_username());
    match connect.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", connect.get_host(), connect.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, OpenError> {
        Target::parse(&Options::new(url))
    }

    #[test]
    fn a_place_names_no_user_and_no_password() {
        let place = |url| target(url).unwrap().place;
        assert_eq!(place("postgres://asha:s3cret@db.example:5433/roll"), "db.example:5433/roll");
        assert_eq!(place("postgresql://asha:s3cret@%2Frun%2Fpg/roll"), "/run/pg/roll");
        assert_eq!(place("postgres://asha:s%2F3%40cret@[::1]:5433/roll?sslmode=require"), "[::1]:5433/roll");
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_quoting_it() {
        for url in [
            "",
            "roll",
            "mysql://asha:s3cret@db/roll",
            "postgres://asha:s3cret@db:port/roll",
            "postgres://asha:12/s3cret@db/roll",
            "postgres://asha:12#s3cret@db/roll",
            "postgres://asha:12?s3cret@db/roll",
            "postgres://asha@db/roll?sslmode=s3cret",
        ] {
            let refused = target(url).err().unwrap();
            assert!(matches!(refused, OpenError::Url), "{url}: {refused}");
            assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{url}");
        }
    }

    #[test]
    fn options_do_not_show_their_url() {
        let options = Options::new("postgres://asha:s3cret@db/roll");
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn a_schema_name_needs_no_quoting_rules() {
        assert_eq!(quoted("test_7").unwrap(), "\"test_7\"");
        for wrong in ["", "7", "Test", "a b", "a\"b", "é", &"x".repeat(64)] {
            assert!(matches!(quoted(wrong), Err(OpenError::SchemaName)), "{wrong:?}");
        }
    }
}
