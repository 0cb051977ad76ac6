//! The log of the server: its filter, and lines in the configured format.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::arguments::LogFormat;

/// The crates that write to the log, and the target of the access log.
const CRATES: [&str; 10] = [
    "app",
    "adapter_postgres",
    "adapter_sqlite",
    "hyper",
    "hyper_util",
    "poem",
    "rollbook",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
];
/// The targets that are not a module of a crate.
const ACCESS: &str = "rollbook::access";

/// A level, and levels of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFilter(Targets);

impl Default for LogFilter {
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::INFO))
    }
}

/// Error for a text that is not a [`LogFilter`]. It does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LogFilterError {
    #[error("a level is off, error, warn, info, debug or trace; write it as debug, or as info,rollbook::access=debug")]
    Level,
    #[error("a target is rollbook::access or a module of {}; write it as info,rollbook::access=debug", CRATES.join(", "))]
    Target,
}

impl FromStr for LogFilter {
    type Err = LogFilterError;

    fn from_str(text: &str) -> Result<Self, LogFilterError> {
        let mut targets = Targets::new();
        for directive in text.split(',').map(str::trim) {
            targets = match directive.split_once('=') {
                None => targets.with_default(level(directive)?),
                Some((target, level_name)) => targets.with_target(checked(target.trim())?, level(level_name.trim())?),
            };
        }
        Ok(Self(targets))
    }
}

/// A level by its name. `LevelFilter` also accepts numbers and an empty text.
fn level(name: &str) -> Result<LevelFilter, LogFilterError> {
    let is_name = name.chars().all(|c| c.is_ascii_alphabetic()) && !name.is_empty();
    name.parse().ok().filter(|_| is_name).ok_or(LogFilterError::Level)
}

fn checked(target: &str) -> Result<&str, LogFilterError> {
    let first = target.split("::").next().unwrap_or_default();
    let is_known = CRATES.contains(&first) && (first != "rollbook" || [first, ACCESS].contains(&target));
    if is_known { Ok(target) } else { Err(LogFilterError::Target) }
}

/// Writes the log to standard error. A closed stderr must not stop the server.
pub fn start(filter: &LogFilter, format: LogFormat) {
    let has_color = has_color(io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    let lines = fmt::layer().log_internal_errors(false).with_ansi(has_color).with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines).with(filter.0.clone()).init();
}

/// <https://no-color.org>
fn has_color(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_levels_and_targets_are_rejected() {
        for valid in [
            "info",
            "OFF",
            "debug",
            "info,rollbook::access=debug",
            " info , sqlx=warn",
            "warn,app::cli=trace,rollbook=debug",
        ] {
            assert!(valid.parse::<LogFilter>().is_ok(), "{valid}");
        }
        for invalid in ["", "verbose", "5", "info,", "info,rollbook::access", "rollbook::access=loud", "app=5"] {
            assert_eq!(invalid.parse::<LogFilter>(), Err(LogFilterError::Level), "{invalid}");
        }
        for invalid in
            ["=", "==", "nonsense=debug", "rollbook::acess=debug", "=debug", "info,Rollbook=debug", "[span]=debug"]
        {
            assert_eq!(invalid.parse::<LogFilter>(), Err(LogFilterError::Target), "{invalid}");
        }
    }

    #[test]
    fn color_requires_a_terminal_without_no_color() {
        assert!(has_color(true, None) && has_color(true, Some(OsStr::new(""))));
        assert!(!has_color(true, Some(OsStr::new("1"))) && !has_color(false, None));
    }
}
