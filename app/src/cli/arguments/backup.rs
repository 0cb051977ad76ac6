//! The arguments of `rollbook backup` and `rollbook restore`.

use std::path::PathBuf;

use clap::Args;

use super::{Store, file};

#[derive(Debug, Args)]
pub struct Backup {
    /// File to create; it contains password hashes, and only its owner can read it
    pub file: PathBuf,

    /// Add the signing keys: anyone who can read the file can then issue tokens
    #[arg(long)]
    pub with_keys: bool,

    /// Key ring for --with-keys [default: the secret]
    #[arg(long, env = "ROLLBOOK_KEYS", value_name = "FILE", value_parser = file)]
    pub keys: Option<PathBuf>,

    /// Secret for --with-keys [default: in the data directory]
    #[arg(long, env = "ROLLBOOK_JWT_SECRET_FILE", value_name = "FILE", value_parser = file)]
    pub jwt_secret_file: Option<PathBuf>,

    #[command(flatten)]
    pub store: Store,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// File that `rollbook backup` created
    pub file: PathBuf,

    #[command(flatten)]
    pub store: Store,
}
