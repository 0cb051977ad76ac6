//! Errors of opening the store, each in one line.

use sqlx::migrate::MigrateError;
use thiserror::Error;

use crate::connector::ConnectError;
use crate::url::DRIVER_PARAMETERS;

/// Error of opening the store: operation, location, cause and hint. Never contains a password.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(
        "cannot read the PostgreSQL URL; write postgres://user:password@host:5432/database, and percent-encode \
         special characters within a part (@ is %40, / is %2F)"
    )]
    Url,
    #[error(
        "the PostgreSQL URL has an unknown parameter; the known ones are host, port, target_session_attrs, options[NAME], {}",
        DRIVER_PARAMETERS.join(", ")
    )]
    UnknownParameter,
    #[error("target_session_attrs in the PostgreSQL URL must be any, primary or read-write")]
    SessionAttributes,
    #[error("the schema name is invalid; use 1 to 63 of a-z, 0-9 and _, not starting with a digit")]
    SchemaName,
    #[error("the revocation bound is out of range; choose 100 ms to 60 s")]
    RevocationBound,
    #[error("cannot connect to PostgreSQL at {place}: {cause}; {hint}")]
    Connect { place: String, cause: String, hint: &'static str },
    #[error(
        "the connection pooler at {place} shares one session among transactions, which Rollbook does not support; configure \
         session pooling (PgBouncer: pool_mode = session), or connect to the server directly"
    )]
    TransactionPooler { place: String },
    #[error("PostgreSQL at {place} is version {found}, too old; upgrade the server to 15 or later")]
    ServerTooOld { place: String, found: String },
    #[error("the database at {place} is encoded in {found}, not in UTF8; recreate it with ENCODING 'UTF8'")]
    Encoding { place: String, found: String },
    #[error("the database at {place} has no tables of Rollbook")]
    Missing { place: String },
    #[error("cannot migrate the schema at {place}: {cause}; {hint}")]
    Migrate { place: String, cause: String, hint: &'static str },
    #[error(
        "the schema at {place} requires a program with schema version {required} or later, and this program has {known}; \
         start a newer release of Rollbook"
    )]
    ProgramTooOld { place: String, required: i64, known: i64 },
}

impl OpenError {
    pub(crate) fn connect(place: &str, error: &ConnectError) -> Self {
        let (cause, hint) = match error {
            ConnectError::Driver(error) => (reason(error), hint(error)),
            ConnectError::Rejected { code, message } => (one_line(message), server_hint(code)),
            ConnectError::TimedOut => {
                (error.to_string(), "check host and port, and that no firewall blocks the connection")
            }
            ConnectError::ReadOnly => (error.to_string(), READ_ONLY_HINT),
        };
        Self::Connect { place: place.to_owned(), cause, hint }
    }

    pub(crate) fn migrate(place: &str, error: &MigrateError) -> Self {
        let (cause, hint) = match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => (reason(error), hint(error)),
            MigrateError::VersionMismatch(_) => {
                (error.to_string(), "use the release of Rollbook that created this database")
            }
            other => (one_line(&other.to_string()), "see the server's log"),
        };
        Self::Migrate { place: place.to_owned(), cause, hint }
    }
}

const READ_ONLY_HINT: &str = "name the primary server in the URL, not a standby";

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => one_line(error.message()),
        sqlx::Error::Io(error) => one_line(&error.to_string()),
        other => one_line(&other.to_string()),
    }
}

fn hint(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Io(_) => "check that the server runs there and that this machine can reach it",
        sqlx::Error::Tls(_) => "check sslmode and sslrootcert in the URL against the server's certificate",
        sqlx::Error::Database(error) => server_hint(&error.code().unwrap_or_default()),
        _ => "see the server's log",
    }
}

fn server_hint(code: &str) -> &'static str {
    match code {
        code if code.starts_with("28") => "check user and password in the URL, and the server's pg_hba.conf",
        "3D000" => "create the database, or correct its name in the URL",
        "42501" => "make the user the owner of the database, or grant it CREATE on the schema",
        "25006" => READ_ONLY_HINT,
        "53300" => "raise the server's max_connections, or lower the limit of the nodes",
        "57P03" => "wait until the server is up, then start again",
        _ => "see the server's log",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
