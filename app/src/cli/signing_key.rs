//! Loads or generates the secret that signs tokens.

use std::env::{self, VarError};
use std::fs;
use std::path::Path;

use adapter_jwt::SigningKey;

use super::arguments::Serve;
use super::data_dir::write_secret_once;
use super::failure::Failure;
use crate::stores::Database;
use crate::system::SystemRandom;

const VARIABLE: &str = "ROLLBOOK_JWT_SECRET";

/// Rejects a secret in addition to a key ring, because it would be ambiguous which of them signs.
pub fn reject_with_key_ring(serve: &Serve) -> Result<(), Failure> {
    let secret = match (env::var_os(VARIABLE), &serve.jwt_secret_file) {
        (Some(_), _) => VARIABLE,
        (None, Some(_)) => "--jwt-secret-file",
        (None, None) => return Ok(()),
    };
    Err(Failure::new(format!("set only one of --keys and {secret}")))
}

/// Rejects a secret in the variable; `reason` ends the message.
pub fn reject_variable(reason: &str) -> Result<(), Failure> {
    match env::var_os(VARIABLE) {
        Some(_) => Err(Failure::new(format!("the secret is in {VARIABLE}; {reason}"))),
        None => Ok(()),
    }
}

/// The key from the variable, from the file or, on SQLite, from the data directory, where it is generated if missing.
pub fn signing_key(serve: &Serve, database: &Database) -> Result<SigningKey, Failure> {
    let variable = match env::var(VARIABLE) {
        Ok(secret) => Some(secret),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => return Err(Failure::new(format!("{VARIABLE} is not UTF-8"))),
    };
    match (variable, &serve.jwt_secret_file, database) {
        (Some(_), Some(_), _) => Err(Failure::new(format!("set only one of {VARIABLE} and --jwt-secret-file"))),
        (Some(secret), None, _) => parse(secret.as_bytes(), VARIABLE),
        (None, Some(file), _) => read(file),
        (None, None, Database::Postgres(_)) => Err(Failure::new(format!(
            "PostgreSQL requires a signing key that all nodes share: set {VARIABLE} or --jwt-secret-file (generate one \
             with: openssl rand -base64 48)"
        ))),
        (None, None, Database::Sqlite(_)) => read_or_generate(&serve.store.data_dir()?.join("jwt-secret")),
    }
}

fn read_or_generate(path: &Path) -> Result<SigningKey, Failure> {
    if !path.exists() {
        let generated = SigningKey::generate(&SystemRandom)?;
        let written = write_secret_once(path, generated.expose());
        written
            .map_err(|error| Failure::new(format!("cannot write the signing key to {}: {error}", path.display())))?;
    }
    read(path)
}

fn read(path: &Path) -> Result<SigningKey, Failure> {
    let secret = fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read the signing key in {}: {error}", path.display())))?;
    parse(secret.trim_ascii_end(), &path.display().to_string())
}

fn parse(secret: &[u8], source: &str) -> Result<SigningKey, Failure> {
    SigningKey::parse(secret).map_err(|error| Failure::new(format!("the signing key in {source} is invalid: {error}")))
}
