//! `rollbook students`: exports students, and prints their changes.

mod changes;
mod export;

use super::arguments::{Students, StudentsCommand};
use super::failure::Failure;

/// Runs a `students` subcommand.
pub async fn run(students: Students) -> Result<(), Failure> {
    match students.command {
        StudentsCommand::Export { file, format, spreadsheet } => {
            export::run(&students.store, file, format, spreadsheet).await
        }
        StudentsCommand::Changes { after, follow } => changes::run(&students.store, after, follow).await,
    }
}
