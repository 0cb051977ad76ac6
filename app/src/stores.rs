//! The stores: which one, and how it is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use adapter_postgres::{Options, PostgresStore};
use adapter_sqlite::SqliteStore;
use domain::Probe;
use domain::audit::AuditLog;
use domain::record::RecordStore;
use domain::session::{InvalidationFeed, SessionLookup, SessionStore};
use domain::user::CredentialStore;
use thiserror::Error;

/// Which store to use: `sqlite:PATH` or a PostgreSQL URL. Its text may hold a password and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

/// The text names no store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct DatabaseError;

impl FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text.to_owned())),
            _ => Err(DatabaseError),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// Why a store could not be opened: one line that says what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Sqlite(#[from] adapter_sqlite::OpenError),
    #[error(transparent)]
    Postgres(#[from] adapter_postgres::OpenError),
}

/// Declares [`Stores`]: the ports of a store, each by its name, and a record port for each resource.
macro_rules! stores {
    ({ $($name:ident: $port:path,)+ } $($records:ident: $resource:ty,)+) => {
        /// An open store behind each of its ports.
        #[derive(Clone)]
        pub struct Stores {
            $(pub $records: Arc<dyn RecordStore<$resource>>,)+
            $(pub $name: Arc<dyn $port>,)+
        }

        impl Stores {
            /// One store behind all of its ports.
            fn on<S: $(RecordStore<$resource> +)+ $($port +)+ 'static>(store: &Arc<S>) -> Self {
                Self { $($records: store.clone(),)+ $($name: store.clone(),)+ }
            }
        }
    };
}

domain::resources!(stores {
    credentials: CredentialStore,
    sessions: SessionStore,
    session_lookup: SessionLookup,
    invalidation_feed: InvalidationFeed,
    audit: AuditLog,
    probe: Probe,
});

impl Stores {
    /// Opens a store and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(database: &Database) -> Result<Self, OpenError> {
        Self::bounded(database, Options::DEFAULT_REVOCATION_BOUND).await
    }

    /// As [`Stores::open`], with a bound on how long what other nodes end or change may count on here. The embedded
    /// store has no other nodes, and hears of other processes at each request.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn bounded(database: &Database, revocation_bound: Duration) -> Result<Self, OpenError> {
        match database {
            Database::Sqlite(path) => Ok(Self::sqlite(path)?),
            Database::Postgres(url) => {
                let store = PostgresStore::connect(Options { revocation_bound, ..Options::new(url.clone()) }).await?;
                Ok(Arc::new(store).into())
            }
        }
    }

    /// Opens the embedded store.
    ///
    /// # Errors
    /// [`adapter_sqlite::OpenError`]
    pub fn sqlite(path: &Path) -> Result<Self, adapter_sqlite::OpenError> {
        Ok(Self::on(&Arc::new(SqliteStore::open(path)?)))
    }
}

impl From<Arc<PostgresStore>> for Stores {
    fn from(store: Arc<PostgresStore>) -> Self {
        Self::on(&store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_scheme() {
        assert_eq!("sqlite:a/b.db".parse(), Ok(Database::Sqlite("a/b.db".into())));
        assert!(matches!("postgres://u:p@h/d".parse(), Ok(Database::Postgres(_))));
        assert!(matches!("postgresql://h/d".parse(), Ok(Database::Postgres(_))));
        for wrong in ["", "sqlite:", "mysql://h/d", "postgres:h", "a.db"] {
            assert_eq!(wrong.parse::<Database>(), Err(DatabaseError), "{wrong}");
        }
        assert!(!format!("{:?}", "postgres://u:hunter2@h/d".parse::<Database>()).contains("hunter2"));
    }
}
