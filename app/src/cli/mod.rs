//! The command line. Every error is one line on stderr with a nonzero exit status.

mod arguments;
mod audit;
mod backup;
mod config;
mod contract;
mod data_dir;
mod demo;
mod drafts;
mod durable_sessions;
mod exposed_files;
mod failure;
mod first_start;
mod key_file;
mod key_watch;
mod keys;
mod known_stores;
mod listen_address;
mod log;
mod migrate;
mod openapi;
mod output;
mod password;
mod secret_text;
mod serve;
mod settings;
mod signing_key;
mod students;
mod temporary_store;
mod token;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use failure::Failure;
use settings::{Rejection, Sources};

/// Runs the program with its arguments; the first one is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (arguments, sources) = match settings::parse(&with_subcommand(arguments.into_iter().collect())) {
        Ok(parsed) => parsed,
        Err(Rejection::Help(help)) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
        Err(Rejection::Invalid(line)) => {
            output::error(format_args!("rollbook: {line}"));
            return ExitCode::from(2);
        }
    };
    match dispatch(arguments, &sources) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(format_args!("rollbook: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Inserts the default subcommand `serve`.
fn with_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let global = ["-h", "--help", "-V", "--version"];
    let text = |at: usize| arguments.get(at).and_then(|argument| argument.to_str());
    // The option that precedes any subcommand.
    let at = match text(1) {
        Some("--config") => 3,
        Some(option) if option.starts_with("--config=") => 2,
        _ => 1,
    };
    if text(at).is_none_or(|next| next.starts_with('-') && !global.contains(&next)) {
        arguments.insert(1.min(arguments.len()), "serve".into());
    }
    arguments
}

fn dispatch(arguments: Arguments, sources: &Sources) -> Result<(), Failure> {
    match arguments.command {
        Command::Serve(serve) => runtime()?.block_on(serve::run(serve, sources)),
        Command::Config(serve) => runtime()?.block_on(config::run(&serve, sources)),
        Command::User(user) => runtime()?.block_on(user::run(user)),
        Command::Students(students) => runtime()?.block_on(students::run(students)),
        Command::Audit(audit) => runtime()?.block_on(audit::run(audit)),
        Command::Keys(keys) => runtime()?.block_on(keys::run(keys)),
        Command::Token(token) => token::run(token),
        Command::Migrate(migrate) => runtime()?.block_on(migrate::run(&migrate.store)),
        Command::Backup(backup) => backup::back_up(&backup, sources),
        Command::Restore(restore) => backup::restore(&restore),
        Command::Openapi(openapi) => openapi::run(&openapi),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_is_the_default_subcommand() {
        let completed = |arguments: &[&str]| with_subcommand(arguments.iter().map(Into::into).collect());
        assert_eq!(completed(&["rollbook"]), ["rollbook", "serve"]);
        assert_eq!(completed(&["rollbook", "--demo"]), ["rollbook", "serve", "--demo"]);
        assert_eq!(completed(&["rollbook", "--config", "f"]), ["rollbook", "serve", "--config", "f"]);
        assert_eq!(completed(&["rollbook", "--config=f", "--demo"]), ["rollbook", "serve", "--config=f", "--demo"]);
        for kept in [
            &["rollbook", "user", "list"][..],
            &["rollbook", "--help"],
            &["rollbook", "nonsense"],
            &["rollbook", "--config", "f", "config"],
            &["rollbook", "--config=f", "user", "list"],
        ] {
            assert_eq!(completed(kept), kept);
        }
    }
}
