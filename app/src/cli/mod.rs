//! The command line. Every error is one line on stderr with a nonzero exit status.

mod arguments;
mod audit;
mod backup;
mod contract;
mod data_dir;
mod demo;
mod drafts;
mod durable_sessions;
mod failure;
mod first_start;
mod key_file;
mod key_watch;
mod keys;
mod known_stores;
mod migrate;
mod openapi;
mod output;
mod password;
mod serve;
mod signing_key;
mod temporary_store;
mod token;
mod user;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use arguments::{Arguments, Command};
use failure::Failure;

/// Runs the program with its arguments; the first one is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(with_subcommand(arguments.into_iter().collect())) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::message(format_args!("rollbook: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Inserts the default subcommand `serve`.
fn with_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|first| first.to_str());
    let global = ["-h", "--help", "-V", "--version"];
    if first.is_none_or(|first| first.starts_with('-') && !global.contains(&first)) {
        arguments.insert(1.min(arguments.len()), "serve".into());
    }
    arguments
}

fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Serve(serve) => runtime()?.block_on(serve::run(serve)),
        Command::User(user) => runtime()?.block_on(user::run(user)),
        Command::Audit(audit) => runtime()?.block_on(audit::run(audit)),
        Command::Keys(keys) => runtime()?.block_on(keys::run(keys)),
        Command::Token(token) => token::run(token),
        Command::Migrate(migrate) => runtime()?.block_on(migrate::run(&migrate.store)),
        Command::Backup(backup) => backup::back_up(&backup),
        Command::Restore(restore) => backup::restore(&restore),
        Command::Openapi(openapi) => openapi::run(&openapi),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))
}

/// Prints help to standard output and usage errors as one line to stderr.
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            output::message(format_args!("rollbook: {}; see --help", usage_error(error)));
            ExitCode::from(2)
        }
    }
}

/// First paragraph of an error, on one line.
fn usage_error(error: &clap::Error) -> String {
    // Clap's text quotes the value; a malformed database URL may contain a password.
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && argument.starts_with("--database")
        && let Some(reason) = error.source()
    {
        return format!("invalid value for '{argument}': {reason}");
    }
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_subcommand() {
        let completed = |arguments: &[&str]| with_subcommand(arguments.iter().map(Into::into).collect());
        assert_eq!(completed(&["rollbook"]), ["rollbook", "serve"]);
        assert_eq!(completed(&["rollbook", "--demo"]), ["rollbook", "serve", "--demo"]);
        for kept in [&["rollbook", "user", "list"][..], &["rollbook", "--help"], &["rollbook", "nonsense"]] {
            assert_eq!(completed(kept), kept);
        }
    }
}
