//! `rollbook token …`: verifies and decodes tokens without a store or a server.

use std::io::{self, BufRead};

use adapter_jwt::{PublishedKeys, TokenPolicy, Unverified, VerificationKeys, read_unverified};
use domain::Clock;
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::arguments::{Token, TokenCommand, Verify};
use super::failure::Failure;
use super::{key_file, output, secret_text};
use crate::system::SystemClock;

/// Claims that contain times (RFC 7519, section 4.1).
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// Runs a `token` subcommand on the tokens from standard input.
pub fn run(token: Token) -> Result<(), Failure> {
    match token.command {
        TokenCommand::Verify(arguments) => verify(&arguments),
        TokenCommand::Decode { moment } => {
            let now = moment.at.unwrap_or_else(|| SystemClock.now());
            each_token(|token| decode(token, now))
        }
    }
}

/// Prints `valid` or `rejected`, a tab and the reason for each token.
///
/// # Errors
/// [`Failure`] if a token is rejected.
fn verify(arguments: &Verify) -> Result<(), Failure> {
    let policy = TokenPolicy::new(arguments.issuer.clone(), arguments.audience.clone(), arguments.token_leeway)?;
    let keys = verification_keys(arguments)?;
    let now = arguments.moment.at.unwrap_or_else(|| SystemClock.now());
    let (mut verified, mut rejected) = (0_u64, 0_u64);
    each_token(|token| {
        let verdict = if arguments.raw {
            keys.verify_raw(token, now).map(|()| "header and signature".to_owned())
        } else {
            keys.verify(token, &policy, now).map(|claims| {
                let until = claims.expires_at.format(&Rfc3339).unwrap_or_default();
                format!("user {}, expires at {until}", claims.user_id)
            })
        };
        verified += 1;
        match verdict {
            Ok(summary) => output::line(format_args!("valid\t{summary}")),
            Err(reason) => {
                rejected += 1;
                output::line(format_args!("rejected\t{reason}"))
            }
        }
    })?;
    if rejected == 0 { Ok(()) } else { Err(Failure::new(format!("rejected {rejected} of {verified} tokens"))) }
}

fn verification_keys(arguments: &Verify) -> Result<VerificationKeys, Failure> {
    match (&arguments.jwks, &arguments.keys) {
        (Some(path), _) => {
            let invalid = |reason: &dyn std::fmt::Display| {
                Failure::new(format!("the key set in {} is invalid: {reason}", path.display()))
            };
            let text = secret_text::read(path).map_err(|error| invalid(&error))?;
            Ok(VerificationKeys::Set(PublishedKeys::parse(&text).map_err(|error| invalid(&error))?))
        }
        (None, Some(path)) => Ok(VerificationKeys::Ring(key_file::read(path)?)),
        (None, None) => Err(Failure::new("the keys to verify with are missing: set --keys FILE or --jwks FILE")),
    }
}

fn each_token(mut act: impl FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
        act(String::from_utf8_lossy(&line).trim_end_matches('\r'))?;
    }
    Ok(())
}

fn decode(token: &str, now: OffsetDateTime) -> Result<(), Failure> {
    let Unverified { header, claims } = match read_unverified(token) {
        Ok(decoded) => decoded,
        Err(error) => return output::line(format_args!("cannot be decoded: {error}")),
    };
    output::line("header")?;
    print_members(&header, now, &[])?;
    output::line("claims (not verified)")?;
    print_members(&claims, now, &TIMES)
}

fn print_members(members: &Map<String, Value>, now: OffsetDateTime, times: &[&str]) -> Result<(), Failure> {
    for (name, value) in members {
        let time = if times.contains(&name.as_str()) { date_and_distance(value, now) } else { None };
        let name = Value::from(name.as_str());
        output::line(format_args!("  {}: {}{}", printable(&name), printable(value), time.unwrap_or_default()))?;
    }
    Ok(())
}

/// A time as a date, and its distance from `now`.
fn date_and_distance(seconds: &Value, now: OffsetDateTime) -> Option<String> {
    let since = Duration::checked_seconds_f64(seconds.as_f64()?)?;
    let date = OffsetDateTime::UNIX_EPOCH.checked_add(since)?;
    let distance = Duration::seconds((date - now).whole_seconds());
    let length = humantime::format_duration(distance.unsigned_abs());
    let text = date.format(&Rfc3339).ok()?;
    Some(if distance.is_negative() { format!(" ({text}, {length} ago)") } else { format!(" ({text}, in {length})") })
}

/// JSON with escaped control characters, which a terminal must not interpret.
fn printable(value: &Value) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    value.to_string().chars().map(escaped).collect()
}
