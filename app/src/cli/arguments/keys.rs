//! The arguments of `rollbook keys`.

use std::path::PathBuf;

use adapter_jwt::KeyAlgorithm;
use clap::{Args, Subcommand};
use domain::token::TokenLifetime;
use time::Duration;

use super::{Store, duration, lifetime};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct Keys {
    /// The key ring's file
    #[arg(long = "keys", env = "ROLLBOOK_KEYS", value_name = "FILE", global = true)]
    pub ring: Option<PathBuf>,

    #[command(flatten)]
    pub store: Store,

    /// Leave no event in the store's audit: for a ring that is no store's, or while the store is away
    #[arg(long, global = true)]
    pub without_audit: bool,

    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a ring of one new key, in a file that is not there yet
    Generate {
        /// How it signs: HS256, EdDSA or ES256
        #[arg(long, value_name = "ALGORITHM", default_value = "HS256")]
        algorithm: KeyAlgorithm,
    },
    /// List the keys: id, algorithm, state, signs from, verifies until
    List,
    /// Announce a new key, which takes over when every node knows it
    Rotate {
        /// How it signs: HS256, EdDSA or ES256 [default: as the key that signs now]
        #[arg(long, value_name = "ALGORITHM")]
        algorithm: Option<KeyAlgorithm>,
        /// When it begins to sign: until then every node, and who keeps the public keys, must have read them
        #[arg(long, value_name = "TIME", default_value = "5m", value_parser = announcement)]
        announce: Duration,
        /// How long tokens are good for, as the servers are told: so long the old key verifies on
        #[arg(long, env = "ROLLBOOK_TOKEN_TTL", value_name = "TIME", default_value = "15m", value_parser = lifetime)]
        token_ttl: TokenLifetime,
    },
    /// Take a key out whose tokens have all expired; with --revoke, refuse its tokens at once
    Retire {
        /// The key's id
        kid: String,
        /// Refuse the key's tokens as soon as a server has read the file; the key stays in the list
        #[arg(long)]
        revoke: bool,
    },
}

fn announcement(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::days(3650);
    let given = duration(text)?;
    if given <= LONGEST { Ok(given) } else { Err("must be 3650 days or less".to_owned()) }
}
