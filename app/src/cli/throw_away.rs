//! A store that is thrown away when its server ends: what a demo and contract mode have in common.

use std::sync::Arc;

use adapter_jwt::SigningKey;
use adapter_postgres::{Options, PostgresStore};
use domain::{Random, RandomError};
use tempfile::TempDir;
use time::Duration;

use super::arguments::Serve;
use super::failure::Failure;
use crate::stores::{Database, Stores};
use crate::system::SystemRandom;

/// What the store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Trying the service out.
    Demo,
    /// Testing a client of the service.
    Contract,
}

impl Purpose {
    /// Long enough for a day of trying things out.
    pub const TOKEN_LIFETIME: Duration = Duration::hours(8);

    /// What `serve` was asked to throw away, if anything.
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

    /// Refuses to show known passwords beyond this machine unasked, and keys that would outlive the store.
    pub fn may_listen(self, serve: &Serve) -> Result<(), Failure> {
        let name = self.name();
        if !serve.listen.ip().is_loopback() && !serve.expose_demo_with_known_passwords {
            return Err(Failure::new(format!(
                "--{name} has known passwords and does not listen on {}: choose a loopback address, or add \
                 --expose-demo-with-known-passwords",
                serve.listen
            )));
        }
        if serve.keys.is_some() {
            return Err(Failure::new(format!("--{name} makes a signing key of its own: leave --keys out")));
        }
        Ok(())
    }
}

/// A key of its own: no token outlives the store.
pub fn signing_key() -> Result<SigningKey, RandomError> {
    SigningKey::generate(&SystemRandom)
}

/// An empty store, which leaves nothing behind.
pub struct ThrowAwayStore {
    stores: Stores,
    place: Place,
}

/// Where the store is.
enum Place {
    /// A temporary directory.
    Directory(TempDir),
    /// A schema of its own in somebody's database.
    Schema(Arc<PostgresStore>),
}

impl ThrowAwayStore {
    /// Makes it: embedded, or in a schema of its own where `--database` names PostgreSQL.
    pub async fn make(serve: &Serve, purpose: Purpose) -> Result<Self, Failure> {
        let name = purpose.name();
        match &serve.store.database {
            None => {
                let directory = tempfile::Builder::new().prefix(&format!("rollbook-{name}-")).tempdir()?;
                let stores = Stores::sqlite(&directory.path().join(format!("{name}.sqlite3")))?;
                Ok(Self { stores, place: Place::Directory(directory) })
            }
            Some(Database::Postgres(url)) => {
                let options = Options {
                    schema: Some(schema_name(name)?),
                    revocation_bound: serve.revocation_bound,
                    ..Options::new(url.clone())
                };
                let store = Arc::new(PostgresStore::connect(options).await?);
                Ok(Self { stores: Arc::clone(&store).into(), place: Place::Schema(store) })
            }
            Some(Database::Sqlite(_)) => Err(Failure::new(format!(
                "--{name} makes a throw-away store of its own: leave --database out, or name a PostgreSQL server"
            ))),
        }
    }

    pub fn stores(&self) -> Stores {
        self.stores.clone()
    }

    /// Throws the store away.
    pub async fn end(self) -> Result<(), Failure> {
        drop(self.stores);
        match self.place {
            Place::Directory(directory) => Ok(directory.close()?),
            Place::Schema(store) => Ok(store.drop_schema().await?),
        }
    }
}

fn schema_name(name: &str) -> Result<String, RandomError> {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes)?;
    Ok(format!("rollbook_{name}_{:016x}", u64::from_le_bytes(bytes)))
}
