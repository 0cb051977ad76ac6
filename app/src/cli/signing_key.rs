//! Loads or generates the secret that signs tokens.

use std::env;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use adapter_jwt::SigningKey;

use super::arguments::Serve;
use super::data_dir::write_secret_once;
use super::failure::Failure;
use super::secret_text;
use super::settings::{self, Sources, Strength};
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
    /// The signing keys of `serve`.
    pub fn of(serve: &Serve, database: &Database, sources: &Sources) -> Result<Self, Failure> {
        match (Self::selected(serve.keys.as_ref(), serve.jwt_secret_file.as_ref(), sources)?, database) {
            (Some(selected), _) => Ok(selected),
            (None, Database::Postgres(_)) => Err(Failure::new(format!(
                "PostgreSQL requires a signing key that all nodes share: set {VARIABLE} or --jwt-secret-file (generate one \
                 with: openssl rand -base64 48)"
            ))),
            (None, Database::Sqlite(_)) => Ok(Self::Generated(serve.store.data_dir.join("jwt-secret"))),
        }
    }

    /// The setting that takes precedence. Several from equal sources would be ambiguous.
    pub fn selected(
        keys: Option<&PathBuf>,
        secret_file: Option<&PathBuf>,
        sources: &Sources,
    ) -> Result<Option<Self>, Failure> {
        let secret = has_variable()?.then_some((VARIABLE, Some(Strength::Variable), Self::Variable));
        let option = |name: &'static str, keys| (name, sources.strength(name.trim_start_matches('-')), keys);
        let mut set: Vec<_> = keys.map(|path| option("--keys", Self::Ring(path.clone()))).into_iter().collect();
        set.extend(secret);
        set.extend(secret_file.map(|path| option("--jwt-secret-file", Self::File(path.clone()))));
        let strongest = set.iter().map(|(_, strength, _)| *strength).max();
        set.retain(|(_, strength, _)| Some(*strength) == strongest);
        if let [(one, ..), (other, ..), ..] = &*set {
            return Err(Failure::new(format!("set only one of {one} and {other}")));
        }
        Ok(set.pop().map(|(.., keys)| keys))
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

/// The secret in the variable.
pub fn of_variable() -> Result<SigningKey, Failure> {
    let secret = env::var_os(VARIABLE).unwrap_or_default();
    parse(secret_text::trimmed(secret.as_bytes()), VARIABLE)
}

/// The secret in a file.
pub fn read(path: &Path) -> Result<SigningKey, Failure> {
    let secret = secret_text::read(path)
        .map_err(|error| Failure::new(format!("cannot read the signing key in {}: {error}", path.display())))?;
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
