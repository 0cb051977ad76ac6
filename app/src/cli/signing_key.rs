//! Loads or generates the secret that signs tokens.

use std::env;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use adapter_jwt::SigningKey;

use super::arguments::Serve;
use super::data_dir::write_secret_once;
use super::failure::Failure;
use super::{secret_text, settings};
use crate::stores::Database;
use crate::system::SystemRandom;

/// The variable with the secret itself, which is no option, because every process on the machine can read those.
pub const VARIABLE: &str = "ROLLBOOK_JWT_SECRET";

/// Where the signing keys are.
#[derive(Debug, PartialEq, Eq)]
pub enum KeySource {
    Ring(PathBuf),
    Variable,
    File(PathBuf),
    /// The file in the data directory, generated if missing.
    Generated(PathBuf),
}

impl KeySource {
    /// The one source that is set. Several would be ambiguous.
    pub fn of(serve: &Serve, database: &Database) -> Result<Self, Failure> {
        let variable = has_variable()?.then_some(VARIABLE);
        let ambiguous = |one, other| Err(Failure::new(format!("set only one of {one} and {other}")));
        match (&serve.keys, variable, &serve.jwt_secret_file) {
            (Some(_), Some(variable), _) => ambiguous("--keys", variable),
            (Some(_), None, Some(_)) => ambiguous("--keys", "--jwt-secret-file"),
            (None, Some(variable), Some(_)) => ambiguous(variable, "--jwt-secret-file"),
            (Some(ring), None, None) => Ok(Self::Ring(ring.clone())),
            (None, Some(_), None) => Ok(Self::Variable),
            (None, None, Some(file)) => Ok(Self::File(file.clone())),
            (None, None, None) => match database {
                Database::Postgres(_) => Err(Failure::new(format!(
                    "PostgreSQL requires a signing key that all nodes share: set {VARIABLE} or --jwt-secret-file \
                     (generate one with: openssl rand -base64 48)"
                ))),
                Database::Sqlite(_) => Ok(Self::Generated(serve.store.data_dir.join("jwt-secret"))),
            },
        }
    }

    /// The file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Ring(path) | Self::File(path) | Self::Generated(path) => Some(path),
            Self::Variable => None,
        }
    }
}

fn has_variable() -> Result<bool, Failure> {
    settings::reject_empty_variable(VARIABLE)
        .map_err(|error| Failure::new(format!("{error} (generate one with: openssl rand -base64 48)")))?;
    Ok(env::var_os(VARIABLE).is_some())
}

/// Rejects a secret in the variable; `reason` ends the message.
pub fn reject_variable(reason: &str) -> Result<(), Failure> {
    if has_variable()? { Err(Failure::new(format!("the secret is in {VARIABLE}; {reason}"))) } else { Ok(()) }
}

/// The secret in the variable.
pub fn of_variable() -> Result<SigningKey, Failure> {
    let secret = env::var_os(VARIABLE).unwrap_or_default();
    parse(secret_text::trimmed(secret.as_bytes()), VARIABLE)
}

/// The secret in a file.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    let secret = secret_text::read(path).map_err(|error| {
        // A missing file with a strong random name is the secret itself in place of the file.
        let is_secret = path.is_relative() && SigningKey::parse(path.as_os_str().as_bytes()).is_ok();
        Failure::new(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename if is_secret => {
                format!("--jwt-secret-file must be a path; set {VARIABLE} to pass the secret itself")
            }
            _ => format!("cannot read the signing key in {}: {error}", path.display()),
        })
    })?;
    parse(&secret, &path.display().to_string())
}

/// Generates the secret in a file, if missing.
pub fn generate(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        let generated = SigningKey::generate(&SystemRandom)?;
        let written = write_secret_once(path, generated.expose());
        written
            .map_err(|error| Failure::new(format!("cannot write the signing key to {}: {error}", path.display())))?;
    }
    Ok(())
}

/// All white space at the end is ignored: earlier releases ignored it in files, whose keys must not change.
fn parse(secret: &[u8], source: &str) -> Result<SigningKey, Failure> {
    SigningKey::parse(secret.trim_ascii_end())
        .map_err(|error| Failure::new(format!("the signing key in {source} is invalid: {error}")))
}
