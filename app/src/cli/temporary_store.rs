//! A temporary store for demo and contract mode, deleted when the server stops.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;

use adapter_jwt::SigningKey;
use adapter_postgres::{Options, PostgresStore};
use domain::{Random, RandomError};
use time::Duration;

use super::arguments::Serve;
use super::drafts::DraftDirectory;
use super::failure::Failure;
use crate::stores::{Database, Stores};
use crate::system::SystemRandom;

/// Purpose of a temporary store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Trying out the service.
    Demo,
    /// Testing a client.
    Contract,
}

impl Purpose {
    /// Long enough for a working day.
    pub const TOKEN_LIFETIME: Duration = Duration::hours(8);

    /// The purpose that `serve` selects, if any.
    pub const fn of(serve: &Serve) -> Option<Self> {
        match (serve.demo, serve.contract) {
            (true, _) => Some(Self::Demo),
            (false, true) => Some(Self::Contract),
            (false, false) => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Contract => "contract",
        }
    }

    /// Rejects a non-loopback address without explicit permission, because the passwords are known, and a key ring, because
    /// its tokens would outlive the store.
    pub fn validate(self, serve: &Serve, addresses: &[SocketAddr]) -> Result<(), Failure> {
        let name = self.name();
        let exposed = addresses.iter().find(|address| !address.ip().is_loopback());
        if let Some(address) = exposed.filter(|_| !serve.expose_demo_with_known_passwords) {
            return Err(Failure::new(format!(
                "--{name} uses known passwords and does not listen on {address}: use a loopback address, or add \
                 --expose-demo-with-known-passwords"
            )));
        }
        if serve.keys.is_some() {
            return Err(Failure::new(format!("--{name} generates its own signing key: omit --keys")));
        }
        Ok(())
    }
}

/// A newly generated key, so that no token outlives the store.
pub fn signing_key() -> Result<SigningKey, RandomError> {
    SigningKey::generate(&SystemRandom)
}

/// An empty store that is deleted after use.
pub struct TemporaryStore {
    stores: Stores,
    location: Location,
}

/// Location of the store.
enum Location {
    /// A temporary directory.
    Directory(DraftDirectory),
    /// A separate schema in an existing database.
    Schema(Arc<PostgresStore>),
}

impl TemporaryStore {
    /// Creates an embedded store, or a separate schema if `--database` selects PostgreSQL.
    pub async fn create(serve: &Serve, purpose: Purpose) -> Result<Self, Failure> {
        let name = purpose.name();
        match &serve.store.database {
            None => {
                let directory = DraftDirectory::new_in(&env::temp_dir())?;
                let stores = Stores::sqlite(&directory.path().join(format!("{name}.sqlite3")))?;
                Ok(Self { stores, location: Location::Directory(directory) })
            }
            Some(Database::Postgres(url)) => {
                let options = Options { schema: Some(schema_name(name)?), ..serve.postgres.options(url.clone()) };
                let store = Arc::new(PostgresStore::connect(options).await?);
                Ok(Self { stores: Arc::clone(&store).into(), location: Location::Schema(store) })
            }
            Some(Database::Sqlite(_)) => Err(Failure::new(format!(
                "--{name} creates its own temporary store: omit --database, or set it to a PostgreSQL URL"
            ))),
        }
    }

    pub fn stores(&self) -> Stores {
        self.stores.clone()
    }

    /// Deletes the store.
    pub async fn delete(self) -> Result<(), Failure> {
        drop(self.stores);
        match self.location {
            Location::Directory(directory) => Ok(directory.close()?),
            Location::Schema(store) => Ok(store.drop_schema().await?),
        }
    }
}

fn schema_name(name: &str) -> Result<String, RandomError> {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes)?;
    Ok(format!("rollbook_{name}_{:016x}", u64::from_le_bytes(bytes)))
}
