//! The arguments of `rollbook students`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use domain::student::ChangeToken;

use super::values::change_token;
use super::{Store, file};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct Students {
    #[command(flatten)]
    pub store: Store,

    #[command(subcommand)]
    pub command: StudentsCommand,
}

#[derive(Debug, Subcommand)]
pub enum StudentsCommand {
    /// Export all students, as they are at one moment, also while a server runs
    Export {
        /// File to create, which only its owner can read; - for standard output
        #[arg(value_parser = file)]
        file: PathBuf,

        /// Format [default: by the extension of the file, or csv]
        #[arg(long, value_enum)]
        format: Option<FileFormat>,

        /// Neutralize cells of CSV that a spreadsheet program would run as formulas
        #[arg(long)]
        spreadsheet: bool,
    },
    /// Print the changes of students as one line of JSON for each part, or the token of the latest position, also while a server runs
    Changes {
        /// Token of the position after which to start: `token` or `next` of an earlier line
        #[arg(long, value_name = "TOKEN", value_parser = change_token)]
        after: Option<ChangeToken>,

        /// Wait for further changes until interrupted
        #[arg(long, requires = "after")]
        follow: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// Comma-separated values with a header
    Csv,
    /// One JSON document per line
    Ndjson,
}
