//! The configuration file: TOML with the long names of the options as keys.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

use super::{FILE, is_secret_like, settings};

/// A configuration file. Settings of other commands are kept and ignored, so that one file serves all commands.
#[derive(Debug)]
pub struct ConfigurationFile {
    pub path: PathBuf,
    pub entries: BTreeMap<String, Entry>,
}

/// A setting in the file.
#[derive(Debug)]
pub struct Entry {
    pub line: usize,
    pub values: Vec<String>,
}

/// What an option accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Number,
    Text,
    List,
}

impl ConfigurationFile {
    /// Reads the file. `definition` defines the keys.
    ///
    /// # Errors
    /// A message that names file and line, and quotes no value, because it may be a database URL with a password.
    pub fn read(path: PathBuf, definition: &Command) -> Result<Self, String> {
        let name = path.to_string_lossy();
        let text = fs::read_to_string(&path).map_err(|error| {
            format!("cannot read the configuration file {name}: {error}; correct --config or ROLLBOOK_CONFIG")
        })?;
        let line = |range: Range<usize>| 1 + text.bytes().take(range.start).filter(|byte| *byte == b'\n').count();
        let at = |range, message: &str| format!("{name}, line {}: {message}", line(range));
        let table = DeTable::parse(&text).map_err(|error| {
            at(error.span().unwrap_or_default(), "is not valid TOML; write a setting as listen = \"…\"")
        })?;
        let kinds = kinds(definition);
        let mut entries = BTreeMap::new();
        for (key, value) in table.get_ref() {
            let kind = kinds.get(&**key.get_ref()).ok_or_else(|| at(key.span(), &unknown(key.get_ref(), &kinds)))?;
            let values = kind.values(value.get_ref());
            let values =
                values.map_err(|expected| at(value.span(), &format!("{} must be {expected}", key.get_ref())))?;
            entries.insert(key.get_ref().clone().into_owned(), Entry { line: line(key.span()), values });
        }
        drop(name);
        Ok(Self { path, entries })
    }
}

impl Kind {
    pub fn of(argument: &Arg) -> Self {
        match argument.get_action() {
            ArgAction::Append => Self::List,
            action if !action.takes_values() => Self::Flag,
            _ if argument.get_value_names().is_some_and(|names| names == ["NUMBER"]) => Self::Number,
            _ => Self::Text,
        }
    }

    /// The values as text. The option's own parser validates them.
    ///
    /// # Errors
    /// The expected type.
    fn values(self, value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
        match (self, value) {
            (Self::Flag, DeValue::Boolean(value)) => Ok(vec![value.to_string()]),
            (Self::Flag, _) => Err("true or false"),
            (Self::List, DeValue::Array(list)) => {
                list.iter().map(|item| scalar(item.get_ref()).ok_or("a list of strings")).collect()
            }
            (Self::List, value) => scalar(value).map(|value| vec![value]).ok_or("a list of strings"),
            (Self::Number | Self::Text, value) => scalar(value).map(|value| vec![value]).ok_or("a string or a number"),
        }
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// The settings of all commands.
fn kinds(command: &Command) -> BTreeMap<String, Kind> {
    let own = settings(command).filter(|(name, ..)| *name != FILE);
    let own = own.map(|(name, _, argument)| (name.to_owned(), Kind::of(argument)));
    own.chain(command.get_subcommands().flat_map(kinds)).collect()
}

fn unknown(key: &str, kinds: &BTreeMap<String, Kind>) -> String {
    let nearest = kinds.keys().max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
    let quoted = if is_secret_like(key) { String::new() } else { format!(" {key}") };
    format!("unknown setting{quoted}; the nearest one is {}", nearest.map_or("", String::as_str))
}
