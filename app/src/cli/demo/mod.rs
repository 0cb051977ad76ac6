//! `rollbook serve --demo`: a throw-away store with known passwords.

mod data;

use std::sync::Arc;

use adapter_jwt::SigningKey;
use adapter_postgres::{Options, PostgresStore};
use domain::{Random, RandomError};
use tempfile::TempDir;
use time::Duration;

use super::arguments::Serve;
use super::failure::Failure;
use super::output;
use crate::stores::{Database, Stores};
use crate::system::SystemRandom;

/// A demo, which leaves nothing behind.
pub struct Demo {
    stores: Stores,
    place: Place,
}

/// Where the throw-away store is.
enum Place {
    /// A temporary directory.
    Directory(TempDir),
    /// A schema of its own in somebody's database.
    Schema(Arc<PostgresStore>),
}

impl Demo {
    /// Long enough for a day of trying things out.
    pub const TOKEN_LIFETIME: Duration = Duration::hours(8);

    /// Refuses to show known passwords beyond this machine unasked, and keys that would outlive it.
    pub fn may_listen(serve: &Serve) -> Result<(), Failure> {
        if !serve.listen.ip().is_loopback() && !serve.expose_demo_with_known_passwords {
            return Err(Failure::new(format!(
                "a demo has known passwords and does not listen on {}: choose a loopback address, or add \
                 --expose-demo-with-known-passwords",
                serve.listen
            )));
        }
        if serve.keys.is_some() {
            return Err(Failure::new("--demo makes a signing key of its own: leave --keys out"));
        }
        Ok(())
    }

    /// Makes the store and fills it: embedded, or in a schema of its own where `--database` names PostgreSQL.
    pub async fn open(serve: &Serve) -> Result<Self, Failure> {
        let demo = match &serve.store.database {
            None => {
                let directory = tempfile::Builder::new().prefix("rollbook-demo-").tempdir()?;
                let stores = Stores::sqlite(&directory.path().join("demo.sqlite3"))?;
                Self { stores, place: Place::Directory(directory) }
            }
            Some(Database::Postgres(url)) => {
                let options = Options {
                    schema: Some(schema_name()?),
                    revocation_bound: serve.revocation_bound,
                    ..Options::new(url.clone())
                };
                let store = Arc::new(PostgresStore::connect(options).await?);
                Self { stores: Arc::clone(&store).into(), place: Place::Schema(store) }
            }
            Some(Database::Sqlite(_)) => {
                return Err(Failure::new(
                    "--demo makes a throw-away store of its own: leave --database out, or name a PostgreSQL server",
                ));
            }
        };
        match data::fill(&demo.stores).await {
            Ok(()) => Ok(demo),
            Err(failure) => {
                demo.end().await?;
                Err(failure)
            }
        }
    }

    pub fn stores(&self) -> Stores {
        self.stores.clone()
    }

    /// A key of its own: no token of a demo outlives it.
    pub fn signing_key() -> Result<SigningKey, Failure> {
        Ok(SigningKey::generate(&SystemRandom)?)
    }

    /// Says loudly what this is.
    pub fn warn() {
        let _ = output::line(
            "\n  THIS IS A DEMO. Its passwords are known to everybody, and what you write is thrown away.\n  Users: \
             shantanu / password (registrar), admin / password (admin), guest / password (viewer). Students: 25.\n",
        );
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

fn schema_name() -> Result<String, RandomError> {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes)?;
    Ok(format!("rollbook_demo_{:016x}", u64::from_le_bytes(bytes)))
}
