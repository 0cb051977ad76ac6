//! The arguments of `rollbook token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use time::{Duration, OffsetDateTime};

use super::{duration, file, instant};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct Token {
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Verify tokens from standard input, one per line; prints valid or rejected, and the reason
    Verify(Verify),
    /// Print header and claims of tokens from standard input, one per line, without verification
    Decode {
        #[command(flatten)]
        moment: Moment,
    },
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Key ring to verify with
    #[arg(long, env = "ROLLBOOK_KEYS", value_name = "FILE", value_parser = file)]
    pub keys: Option<PathBuf>,

    /// JSON Web Key Set to verify with, instead of a key ring
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub jwks: Option<PathBuf>,

    #[command(flatten)]
    pub moment: Moment,

    /// Verify only header and signature, for any token type and payload
    #[arg(long)]
    pub raw: bool,

    /// Required issuer of the tokens (claim `iss`)
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "NAME", default_value = "rollbook")]
    pub issuer: String,

    /// Required audience of the tokens (claim `aud`)
    #[arg(long, env = "ROLLBOOK_AUDIENCE", value_name = "NAME", default_value = "rollbook")]
    pub audience: String,

    /// Tolerated clock difference: 0s to 60s
    #[arg(long, env = "ROLLBOOK_TOKEN_LEEWAY", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub token_leeway: Duration,
}

#[derive(Debug, Args)]
pub struct Moment {
    /// Time of the verification, such as 2026-11-23T12:00:00Z, or in seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub at: Option<OffsetDateTime>,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let wrong = "write it as 2026-11-23T12:00:00Z, or in seconds since 1970";
    match text.parse() {
        Ok(seconds) => OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| wrong.to_owned()),
        Err(_) => instant(text).map_err(|_| wrong.to_owned()),
    }
}
