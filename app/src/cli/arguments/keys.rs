//! The arguments of `rollbook keys`.

use std::path::PathBuf;

use adapter_jwt::KeyAlgorithm;
use clap::{Args, Subcommand};
use domain::token::TokenLifetime;
use time::Duration;

use super::{Store, duration, file, lifetime};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct Keys {
    /// File of the key ring
    #[arg(long = "keys", env = "ROLLBOOK_KEYS", value_name = "FILE", value_parser = file, global = true)]
    pub ring: Option<PathBuf>,

    #[command(flatten)]
    pub store: Store,

    /// Record no audit event: for a ring without a store, or while the store is unavailable
    #[arg(long, global = true)]
    pub without_audit: bool,

    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Create a key ring with one new key in a new file
    Generate {
        /// Signature algorithm: HS256, EdDSA or ES256
        #[arg(long, value_name = "ALGORITHM", default_value = "HS256")]
        algorithm: KeyAlgorithm,
    },
    /// List the keys: id, algorithm, state, signs from, verifies until
    List,
    /// Add a key that starts to sign after an announcement period, when every node has read it
    Rotate {
        /// Signature algorithm: HS256, EdDSA or ES256 [default: that of the current signing key]
        #[arg(long, value_name = "ALGORITHM")]
        algorithm: Option<KeyAlgorithm>,
        /// Delay before the new key signs; every node and every cache of the public keys must read it within this time
        #[arg(long, value_name = "TIME", default_value = "5m", value_parser = announcement_period)]
        announce: Duration,
        /// Token lifetime of the servers; the old key verifies tokens for this long after the change
        #[arg(long, env = "ROLLBOOK_TOKEN_TTL", value_name = "TIME", default_value = "15m", value_parser = lifetime)]
        token_ttl: TokenLifetime,
    },
    /// Remove a key after its last token has expired; with --revoke, reject its tokens immediately
    Retire {
        /// Id of the key
        kid: String,
        /// Reject the key's tokens as soon as a server reads the file; the key stays in the list
        #[arg(long)]
        revoke: bool,
    },
}

fn announcement_period(text: &str) -> Result<Duration, String> {
    const MAX: Duration = Duration::days(3650);
    let given = duration(text)?;
    if given <= MAX { Ok(given) } else { Err("must be 3650 days or less".to_owned()) }
}
