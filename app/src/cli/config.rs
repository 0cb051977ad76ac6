//! `rollbook config`: prints the effective settings of `serve` as TOML, each with its source.

use std::fmt::{Display, Write};

use domain::Escaped;

use super::arguments::Serve;
use super::failure::Failure;
use super::output;
use super::serve::{CheckedSettings, drain_delay};
use super::settings::{Kind, Setting, Sources};
use super::signing_key::{KeySource, VARIABLE};
use crate::stores::Database;

/// Printed in place of a secret.
const MASK: &str = "***";
/// Width of the settings before the sources.
const WIDTH: usize = 60;

/// Runs the checks of `serve` that need no store, and prints the settings in the order of the help text.
pub async fn run(serve: &Serve, sources: &Sources) -> Result<(), Failure> {
    let checked = CheckedSettings::of(serve, sources).await?;
    let settings = sources.iter().filter(|setting| setting.name != "config");
    let lines = settings.map(|setting| Ok(line(setting, effective(setting, serve, &checked)?)));
    let mut lines = lines.collect::<Result<Vec<_>, Failure>>()?;
    if checked.keys == Some(KeySource::Variable) {
        lines.push(with_source(&format!("# jwt-secret = \"{MASK}\""), format_args!("variable {VARIABLE}")));
    }
    lines.into_iter().try_for_each(output::line)
}

/// The values, or those that apply without a value.
fn effective(setting: &Setting, serve: &Serve, checked: &CheckedSettings) -> Result<Vec<String>, Failure> {
    let duration = |length: std::time::Duration| vec![humantime::format_duration(length).to_string()];
    let whole = |seconds: i64| duration(std::time::Duration::from_secs(seconds.unsigned_abs()));
    let (token, sessions) = checked.lifetimes;
    Ok(match &*setting.name {
        // A temporary store has no location yet.
        "database" if checked.purpose.is_some() && serve.store.database.is_none() => Vec::new(),
        "database" => vec![masked(&serve.store.selected())?],
        "token-ttl" => whole(token.seconds()),
        "session-idle-ttl" => whole(sessions.idle().whole_seconds()),
        "session-ttl" => whole(sessions.absolute().whole_seconds()),
        "drain-delay" => duration(drain_delay(serve, false)),
        "jwt-secret-file" => match &checked.keys {
            Some(KeySource::File(path) | KeySource::Generated(path)) => vec![path.display().to_string()],
            _ => Vec::new(),
        },
        "keys" => match &checked.keys {
            Some(KeySource::Ring(path)) => vec![path.display().to_string()],
            _ => Vec::new(),
        },
        _ => setting.values.clone(),
    })
}

/// A database without username, password and parameters.
fn masked(database: &Database) -> Result<String, Failure> {
    Ok(match database {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => {
            let user = if url.contains('@') { format!("{MASK}@") } else { String::new() };
            let parameters = if url.contains('?') { format!("?{MASK}") } else { String::new() };
            format!("postgres://{user}{}{parameters}", adapter_postgres::location(url)?)
        }
    })
}

fn line(setting: &Setting, values: Vec<String>) -> String {
    let Setting { name, source, kind, .. } = setting;
    let is_literal = |text: &str| {
        *kind == Kind::Flag || (*kind == Kind::Number && text.parse::<i64>().is_ok_and(|n| n.to_string() == text))
    };
    let mut values = values.into_iter().map(|text| if is_literal(&text) { text } else { toml_string(&text) });
    match (*kind == Kind::List, values.len()) {
        (false, 0) => with_source(&format!("# {name}"), "not set"),
        (false, _) => with_source(&format!("{name} = {}", values.next_back().unwrap_or_default()), source),
        (true, _) => with_source(&format!("{name} = [{}]", values.collect::<Vec<_>>().join(", ")), source),
    }
}

fn with_source(setting: &str, source: impl Display) -> String {
    format!("{setting:WIDTH$}  # {source}")
}

/// A basic string in TOML. Characters that [`output::line`] would escape in another syntax are escaped.
fn toml_string(text: &str) -> String {
    let mut string = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            string.extend(['\\', c]);
        } else if matches!(c, '\n' | '\t') || Escaped(c).to_string() != c.to_string() {
            // Writing to a string cannot fail.
            let _ = write!(string, "\\U{:08X}", u32::from(c));
        } else {
            string.push(c);
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use toml::de::{DeTable, DeValue};

    use super::*;

    #[test]
    fn string_reads_back_as_the_same_string() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = format!("{c}{c}\\n\"x");
            let line = format!("x = {}", toml_string(&text));
            assert_eq!(Escaped(&line).to_string(), line);
            let table = DeTable::parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(matches!(table.get_ref()["x"].get_ref(), DeValue::String(read) if *read == text), "{line}");
        }
    }
}
