//! Texts of usage errors. A value that may be a part of a secret, such as a database URL, is not quoted.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::source::{Source, Sources};

/// Whether values of the option are never quoted: URLs of databases, and paths of files, in place of which a secret may be given.
fn may_be_secret(option: &str) -> bool {
    option.starts_with("--database ") || option.ends_with("<FILE>")
}

/// Whether the text may contain the username and password of a URL, or be the content of a key ring.
pub fn is_secret_like(text: &str) -> bool {
    text.contains('@') || text.contains("://") || text.starts_with('{')
}

/// The error in one line, with the source of an invalid value.
pub fn message(error: &Error, line: &[OsString], sources: &Sources) -> String {
    let option = text(error, ContextKind::InvalidArg);
    let origin = sources.iter().find(|setting| option.split(' ').next() == Some(&format!("--{}", setting.name)));
    let place = match origin.map(|setting| &setting.source) {
        Some(source @ (Source::Variable(_) | Source::File { .. })) => format!("{source}: "),
        _ => String::new(),
    };
    format!("{place}{}; see --help", description(error, option, line))
}

fn description(error: &Error, option: &str, line: &[OsString]) -> String {
    // A shell splits a password with a space into two arguments, and any argument may be the second half.
    let may_quote = !line.iter().any(|argument| is_secret_like(&argument.to_string_lossy()));
    let value = text(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument if !option.starts_with('-') => {
            "unexpected argument; quote a value that contains spaces".to_owned()
        }
        ErrorKind::UnknownArgument if !may_quote => "unknown option".to_owned(),
        ErrorKind::InvalidSubcommand if !may_quote => "unknown subcommand".to_owned(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::TooManyValues
            if !value.is_empty() && (may_be_secret(option) || !may_quote || is_secret_like(value)) =>
        {
            let reason = error.source().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("invalid value for '{option}'{reason}")
        }
        _ => first_paragraph(&error.to_string()),
    }
}

fn text(error: &Error, kind: ContextKind) -> &str {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text,
        _ => "",
    }
}

/// First paragraph of an error, on one line.
fn first_paragraph(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
