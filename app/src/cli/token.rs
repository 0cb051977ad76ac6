//! `rollbook token …`: judging and reading tokens, without a store or a server.

use std::io::{self, BufRead};

use adapter_jwt::{KnownKeys, PublishedKeys, TokenPolicy, Unverified, read_unverified};
use domain::Clock;
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::arguments::{Token, TokenCommand, Verify};
use super::failure::Failure;
use super::{key_file, output};
use crate::system::SystemClock;

/// The claims that are times (RFC 7519, section 4.1).
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// Runs one of the commands on the tokens of standard input.
pub fn run(token: Token) -> Result<(), Failure> {
    match token.command {
        TokenCommand::Verify(verify) => judge(&verify),
        TokenCommand::Explain { moment } => {
            let now = moment.at.unwrap_or_else(|| SystemClock.now());
            each_token(|token| explain(token, now))
        }
    }
}

/// Prints `good` or `refused` and why, with a tab between them. Fails where a token is refused.
fn judge(verify: &Verify) -> Result<(), Failure> {
    let policy = TokenPolicy::new(verify.issuer.clone(), verify.audience.clone(), verify.token_leeway)?;
    let keys = known_keys(verify)?;
    let now = verify.moment.at.unwrap_or_else(|| SystemClock.now());
    let (mut judged, mut refused) = (0_u64, 0_u64);
    each_token(|token| {
        let verdict = if verify.raw {
            keys.verify_raw(token, now).map(|()| "header and signature are good".to_owned())
        } else {
            keys.verify(token, &policy, now).map(|claims| {
                let until = claims.expires_at.format(&Rfc3339).unwrap_or_default();
                format!("user {}, until {until}", claims.user_id)
            })
        };
        judged += 1;
        match verdict {
            Ok(what) => output::line(format_args!("good\t{what}")),
            Err(why) => {
                refused += 1;
                output::line(format_args!("refused\t{why}"))
            }
        }
    })?;
    if refused == 0 { Ok(()) } else { Err(Failure::new(format!("refused {refused} of {judged}"))) }
}

fn known_keys(verify: &Verify) -> Result<KnownKeys, Failure> {
    match (&verify.jwks, &verify.keys) {
        (Some(path), _) => {
            let cannot = |why: &dyn std::fmt::Display| Failure::new(format!("{} will not do: {why}", path.display()));
            let text = std::fs::read(path).map_err(|error| cannot(&error))?;
            Ok(KnownKeys::Set(PublishedKeys::parse(&text).map_err(|error| cannot(&error))?))
        }
        (None, Some(path)) => Ok(KnownKeys::Ring(key_file::read(path)?)),
        (None, None) => Err(Failure::new("name the keys to judge by: --keys FILE, or --jwks FILE")),
    }
}

fn each_token(mut act: impl FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
        act(String::from_utf8_lossy(&line).trim_end_matches('\r'))?;
    }
    Ok(())
}

fn explain(token: &str, now: OffsetDateTime) -> Result<(), Failure> {
    let Unverified { header, claims } = match read_unverified(token) {
        Ok(read) => read,
        Err(error) => return output::line(format_args!("not to be read: {error}")),
    };
    output::line("header")?;
    show(&header, now, &[])?;
    output::line("claims (not verified)")?;
    show(&claims, now, &TIMES)
}

fn show(members: &Map<String, Value>, now: OffsetDateTime, times: &[&str]) -> Result<(), Failure> {
    for (name, value) in members {
        let time = if times.contains(&name.as_str()) { in_words(value, now) } else { None };
        let name = Value::from(name.as_str());
        output::line(format_args!("  {}: {}{}", printable(&name), printable(value), time.unwrap_or_default()))?;
    }
    Ok(())
}

/// A time as a date, and how far off it is.
fn in_words(seconds: &Value, now: OffsetDateTime) -> Option<String> {
    let since = Duration::checked_seconds_f64(seconds.as_f64()?)?;
    let date = OffsetDateTime::UNIX_EPOCH.checked_add(since)?;
    let away = Duration::seconds((date - now).whole_seconds());
    let length = humantime::format_duration(away.unsigned_abs());
    let text = date.format(&Rfc3339).ok()?;
    Some(if away.is_negative() { format!(" ({text}, {length} ago)") } else { format!(" ({text}, in {length})") })
}

/// JSON in which no control character reaches the terminal.
fn printable(value: &Value) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    value.to_string().chars().map(escaped).collect()
}
