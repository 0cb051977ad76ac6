//! Selects and opens a store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use adapter_postgres::{Options, PostgresStore};
use adapter_sqlite::SqliteStore;
use domain::Probe;
use domain::audit::AuditLog;
use domain::record::RecordStore;
use domain::session::{InvalidationFeed, SessionLookup, SessionStore};
use domain::student::{ChangeFeed, NameIndex};
use domain::user::CredentialStore;
use thiserror::Error;

/// Selected store: `sqlite:PATH` or a PostgreSQL URL. The URL may contain a password and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

/// Error for a text that is not a [`Database`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct DatabaseError;

impl FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() && !has_user_information(path) => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text.to_owned())),
            _ => Err(DatabaseError),
        }
    }
}

/// Whether a path is a database URL with another scheme. Messages quote a path, but must not quote such a URL.
fn has_user_information(path: &str) -> bool {
    path.contains("://") || path.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// Error while opening a store: a one-line message with a remedy.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The location, without a password.
    #[error("the store {0} does not exist")]
    Missing(String),
    #[error(transparent)]
    Sqlite(#[from] adapter_sqlite::OpenError),
    #[error(transparent)]
    Postgres(#[from] adapter_postgres::OpenError),
}

/// Declares [`Stores`]: the named ports of a store, and a record port for each resource.
macro_rules! stores {
    ({ $($name:ident: $port:path,)+ } $($records:ident: $resource:ty,)+) => {
        /// The ports of an open store.
        #[derive(Clone)]
        pub struct Stores {
            $(pub $records: Arc<dyn RecordStore<$resource>>,)+
            $(pub $name: Arc<dyn $port>,)+
        }

        impl Stores {
            /// All ports of one store.
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
    name_index: NameIndex,
    changes: ChangeFeed,
    probe: Probe,
});

impl Stores {
    /// Opens a store, and migrates its schema. Does not create it.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn existing(database: &Database) -> Result<Self, OpenError> {
        match database {
            Database::Sqlite(path) if !SqliteStore::exists(path) => Err(OpenError::Missing(path.display().to_string())),
            Database::Sqlite(path) => Ok(Self::sqlite(path)?),
            Database::Postgres(url) => {
                match Self::postgres(Options { create: false, ..Options::new(url.clone()) }).await {
                    Err(OpenError::Postgres(adapter_postgres::OpenError::Missing { place })) => {
                        Err(OpenError::Missing(place))
                    }
                    opened => opened,
                }
            }
        }
    }

    /// Opens a store, or creates it, and migrates its schema. `options` returns the options for a PostgreSQL URL.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open_with(database: &Database, options: impl FnOnce(String) -> Options) -> Result<Self, OpenError> {
        match database {
            Database::Sqlite(path) => Ok(Self::sqlite(path)?),
            Database::Postgres(url) => Self::postgres(options(url.clone())).await,
        }
    }

    async fn postgres(options: Options) -> Result<Self, OpenError> {
        Ok(Arc::new(PostgresStore::connect(options).await?).into())
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
    fn database_is_selected_by_url_scheme() {
        assert_eq!("sqlite:a/b.db".parse(), Ok(Database::Sqlite("a/b.db".into())));
        assert!(matches!("postgres://u:p@h/d".parse(), Ok(Database::Postgres(_))));
        assert!(matches!("postgresql://h/d".parse(), Ok(Database::Postgres(_))));
        for wrong in ["sqlite:postgres://h/d", "sqlite://u:p@h/d"] {
            assert_eq!(wrong.parse::<Database>(), Err(DatabaseError), "{wrong}");
        }
        for wrong in ["", "sqlite:", "mysql://h/d", "postgres:h", "a.db"] {
            assert_eq!(wrong.parse::<Database>(), Err(DatabaseError), "{wrong}");
        }
        assert!(!format!("{:?}", "postgres://u:hunter2@h/d".parse::<Database>()).contains("hunter2"));
    }
}
