//! Where the value of each setting comes from.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::{ArgMatches, Command};

use super::file::{ConfigurationFile, Kind};
use super::{names_a_store_or_file, settings};

const DATABASE: &str = "database";

/// Pairs of settings that exclude each other. The keys of tokens do too, see [`KeySource`](crate::cli::signing_key::KeySource).
const EXCLUSIVE: [(&str, &str); 5] =
    [("demo", "contract"), ("demo", DATABASE), ("contract", DATABASE), ("demo", "keys"), ("contract", "keys")];

/// Values of a variable that unset a flag.
const OFF: [&str; 6] = ["false", "f", "no", "n", "off", "0"];

/// Sources that set a value, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    File,
    Variable,
    Flag,
}

/// Source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Flag,
    Variable(String),
    File { path: PathBuf, line: usize },
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting of the selected command.
#[derive(Debug)]
pub struct Setting {
    /// The long name of its option.
    pub name: String,
    pub source: Source,
    /// The values as text, in the form that the option accepts.
    pub values: Vec<String>,
    pub kind: Kind,
    id: String,
    variable: String,
    names_a_store_or_file: bool,
}

impl Setting {
    /// Whether a variable or the file unsets a flag.
    fn is_off(&self) -> bool {
        self.kind == Kind::Flag && self.values.iter().any(|value| OFF.contains(&&*value.to_ascii_lowercase()))
    }
}

/// The settings of the selected command, in the order of its help text.
#[derive(Debug, Default)]
pub struct Sources {
    settings: Vec<Setting>,
    /// Variables of the settings that a setting from a stronger source excludes.
    excluded: BTreeSet<String>,
    pub file: Option<ConfigurationFile>,
}

impl Sources {
    /// The sources without a configuration file.
    pub fn new(command: &Command, line: &[OsString]) -> Self {
        let line = || line.iter().map(|argument| argument.to_string_lossy()).take_while(|argument| argument != "--");
        let found = settings(command).map(|(name, variable, argument)| {
            let (flag, prefix) = (format!("--{name}"), format!("--{name}="));
            let next = line().skip(1).chain([String::new().into()]);
            let given: Vec<_> = line()
                .zip(next)
                .filter_map(|(argument, next)| match argument.strip_prefix(&prefix) {
                    Some(value) => Some(value.to_owned()),
                    None => (argument == flag).then(|| next.into_owned()),
                })
                .collect();
            let variable = variable.to_string_lossy().into_owned();
            let value = env::var_os(&variable).filter(|value| !value.is_empty());
            let (source, values) = match value {
                _ if !given.is_empty() => (Source::Flag, given),
                Some(value) => (Source::Variable(variable.clone()), vec![value.to_string_lossy().into_owned()]),
                None => (Source::Default, Vec::new()),
            };
            let kind = Kind::of(argument);
            let names_a_store_or_file = names_a_store_or_file(argument.get_value_parser());
            let id = argument.get_id().to_string();
            Setting { name: name.to_owned(), source, values, kind, id, variable, names_a_store_or_file }
        });
        Self { settings: found.collect(), ..Self::default() }
    }

    /// # Errors
    /// A message, if a variable that selects a store or a file is empty.
    pub fn reject_empty_variables(&self) -> Result<(), String> {
        let is_unset = |setting: &&Setting| setting.source == Source::Default && setting.names_a_store_or_file;
        let mut variables = self.settings.iter().filter(is_unset).map(|setting| &*setting.variable);
        variables.find_map(|name| reject_empty_variable(name).err()).map_or(Ok(()), Err)
    }

    /// Adds the settings of the file that neither an option nor a variable sets.
    pub fn add_file(&mut self, file: ConfigurationFile) {
        for setting in self.settings.iter_mut().filter(|setting| setting.source == Source::Default) {
            if let Some(entry) = file.entries.get(&setting.name) {
                setting.source = Source::File { path: file.path.clone(), line: entry.line };
                setting.values.clone_from(&entry.values);
            }
        }
        self.file = Some(file);
    }

    /// Unsets each setting that excludes another one from a stronger source. Equally strong ones are an error of the command.
    pub fn unset_excluded(&mut self) {
        for (one, other) in EXCLUSIVE {
            let [first, second] = [one, other].map(|name| self.strength(name));
            let excluded = match first.cmp(&second) {
                _ if first.is_none() || second.is_none() => continue,
                Ordering::Less => one,
                Ordering::Greater => other,
                Ordering::Equal => continue,
            };
            for setting in self.settings.iter_mut().filter(|setting| setting.name == excluded) {
                (setting.source, setting.values) = (Source::Default, Vec::new());
                self.excluded.insert(setting.variable.clone());
            }
        }
    }

    /// How strong the source of a setting is, `None` if it is not set. A temporary store excludes only an embedded store.
    pub fn strength(&self, name: &str) -> Option<Strength> {
        let setting = self.iter().find(|setting| setting.name == name)?;
        let is_postgres = |value: &String| name == DATABASE && !value.starts_with("sqlite:");
        match &setting.source {
            _ if setting.values.iter().any(is_postgres) => None,
            Source::Flag => Some(Strength::Flag),
            Source::Default => None,
            _ if setting.is_off() => None,
            Source::Variable(_) => Some(Strength::Variable),
            Source::File { .. } => Some(Strength::File),
        }
    }

    /// Whether the command must not read this variable: it is empty, unsets a flag, or is that of an excluded setting. For clap, a
    /// flag with the value false excludes others too.
    pub fn is_unset(&self, variable: &OsStr) -> bool {
        let unsets = |setting: &&Setting| matches!(&setting.source, Source::Variable(_)) && setting.is_off();
        env::var_os(variable).is_some_and(|value| value.is_empty())
            || self.excluded.iter().any(|excluded| variable == &**excluded)
            || self.iter().filter(unsets).any(|setting| variable == &*setting.variable)
    }

    /// The options that are equivalent to the settings from the file.
    pub fn options_of_file(&self) -> Vec<OsString> {
        let of_file = self.settings.iter().filter(|setting| matches!(setting.source, Source::File { .. }));
        let option = |Setting { name, kind, .. }: &Setting, value: &String| match (kind, &**value) {
            (Kind::Flag, "true") => Some(format!("--{name}").into()),
            (Kind::Flag, _) => None,
            (_, value) => Some(format!("--{name}={value}").into()),
        };
        of_file.flat_map(|setting| setting.values.iter().filter_map(|value| option(setting, value))).collect()
    }

    /// Replaces the values by those that the command uses, including defaults.
    pub fn add_values(&mut self, matches: &ArgMatches) {
        let mut innermost = matches;
        while let Some((_, inner)) = innermost.subcommand() {
            innermost = inner;
        }
        for setting in &mut self.settings {
            let values = innermost.get_raw(&setting.id).into_iter().flatten();
            setting.values = if setting.kind == Kind::Flag {
                vec![innermost.get_flag(&setting.id).to_string()]
            } else {
                let text = values.map(|value| value.to_string_lossy().into_owned());
                text.map(|text| if setting.kind == Kind::List { text.trim().to_owned() } else { text }).collect()
            };
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The values of a setting, empty if it is not set or the command does not have it.
    pub fn text(&self, name: &str) -> Vec<String> {
        self.iter().find(|setting| setting.name == name).map(|setting| setting.values.clone()).unwrap_or_default()
    }
}

/// # Errors
/// A message, if the variable is set and empty.
pub fn reject_empty_variable(name: &str) -> Result<(), String> {
    match env::var_os(name) {
        Some(value) if value.is_empty() => Err(format!("the variable {name} is empty: set it, or remove it")),
        _ => Ok(()),
    }
}
