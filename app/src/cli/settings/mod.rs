//! Settings from options, environment variables and the configuration file, in this order of precedence.

mod file;
mod source;
mod usage;

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{Resettable, ValueParser};
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::arguments::{self, Arguments};
use super::output;
use crate::stores::Database;

pub use self::file::{ConfigurationFile, Kind};
pub use self::source::{Setting, Sources, Strength, reject_empty_variable};
pub use self::usage::is_secret_like;

/// The option that names the configuration file; the file itself cannot contain it.
const FILE: &str = "config";

/// Reason why the command does not run.
pub enum Rejection {
    /// Help or the version was requested.
    Help(clap::Error),
    /// The error in one line.
    Invalid(String),
}

/// Parses the command line, and adds the settings of the configuration file as if they were options.
pub fn parse(line: &[OsString]) -> Result<(Arguments, Sources), Rejection> {
    // The first pass finds the subcommand, and displays help also beside invalid variables or an invalid file.
    let selected = definition().ignore_errors(true).try_get_matches_from(line).map_err(Rejection::Help)?;
    let mut command = definition();
    command.build();
    let command = innermost(&command, &selected);
    let mut sources = Sources::new(command, line);
    let has_json_log = |sources: &Sources| command.get_name() == "serve" && sources.text("log-format") == ["json"];
    if has_json_log(&sources) {
        output::write_messages_as_json();
    }
    sources.reject_empty_variables().map_err(Rejection::Invalid)?;
    if let Some(path) = sources.text(FILE).pop() {
        let path = arguments::file(&path).map_err(|reason| Rejection::Invalid(format!("--{FILE} {reason}")))?;
        let file = ConfigurationFile::read(path, &definition()).map_err(Rejection::Invalid)?;
        sources.add_file(file);
    }
    if has_json_log(&sources) {
        output::write_messages_as_json();
    }
    sources.unset_excluded();
    let options = sources.options_of_file();
    let end = line.iter().position(|argument| argument == "--").unwrap_or(line.len());
    let complete = line[..end].iter().cloned().chain(options).chain(line[end..].iter().cloned());
    let parsed = without_unset_variables(definition(), &sources).try_get_matches_from(complete).and_then(|matches| {
        sources.add_values(&matches);
        Arguments::from_arg_matches(&matches)
    });
    match parsed {
        Ok(arguments) => Ok((arguments, sources)),
        Err(error) => Err(Rejection::Invalid(usage::message(&error, line, &sources))),
    }
}

/// The command line. Help shows no values of variables, because they may be secrets.
fn definition() -> Command {
    fn hide_values(command: Command) -> Command {
        command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(hide_values)
    }
    hide_values(Arguments::command())
}

/// The selected subcommand, which has all settings of the commands around it.
fn innermost<'c>(command: &'c Command, matches: &ArgMatches) -> &'c Command {
    let selected = matches.subcommand().and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    selected.map_or(command, |(subcommand, matches)| innermost(subcommand, matches))
}

/// The settings of a command: its options that can also be set by a variable.
fn settings(command: &Command) -> impl Iterator<Item = (&str, &OsStr, &Arg)> {
    command.get_arguments().filter_map(|argument| Some((argument.get_long()?, argument.get_env()?, argument)))
}

/// The command line without the variables that count as unset.
fn without_unset_variables(command: Command, sources: &Sources) -> Command {
    let unset = |argument: Arg| {
        let is_unset = argument.get_env().is_some_and(|variable| sources.is_unset(variable));
        if is_unset { argument.env(Resettable::<clap::builder::OsStr>::Reset) } else { argument }
    };
    command.mut_args(unset).mut_subcommands(|command| without_unset_variables(command, sources))
}

/// Whether the value names a file or a store. An empty variable would then silently select another one.
fn names_a_store_or_file(parser: &ValueParser) -> bool {
    [TypeId::of::<PathBuf>(), TypeId::of::<Database>()].iter().any(|id| parser.type_id() == *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_definition_is_consistent() {
        definition().debug_assert();
    }

    /// The settings of the file are added to the end of the command line, where only the innermost command's are accepted.
    #[test]
    fn settings_of_outer_commands_are_global() {
        fn check(command: &Command) {
            if command.has_subcommands() {
                assert!(settings(command).all(|(.., argument)| argument.is_global_set()), "{command}");
                command.get_subcommands().for_each(check);
            }
        }
        check(&definition());
    }

    #[test]
    fn configuration_documents_every_setting_with_its_default() {
        let documented = include_str!("../../../CONFIGURATION.md");
        let definition = definition();
        let serve = definition.find_subcommand("serve").unwrap();
        let settings = settings(&definition).chain(settings(serve));
        let mut count = 0;
        for (name, variable, argument) in settings {
            let row = format!("| `--{name}` | `{}` | ", variable.to_string_lossy());
            let rest = documented.lines().find_map(|line| line.strip_prefix(&row)).unwrap_or_else(|| panic!("{row}"));
            for default in argument.get_default_values().iter().filter(|_| argument.get_action().takes_values()) {
                assert!(rest.starts_with(&format!("`{}` ", default.to_string_lossy())), "{row}{rest}");
            }
            count += 1;
        }
        assert_eq!(documented.lines().filter(|line| line.starts_with("| `--")).count(), count, "no row is outdated");
    }
}
