//! `cargo xtask gate`: compares what was asked and answered with the API document, both ways.

mod document;
mod events;
mod exchange;
mod judge;
mod promise;
mod unseen;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Failure, Result, Settle};
use crate::workspace::root;
use document::Document;
use exchange::Exchange;
use judge::Judge;
use promise::Promise;
use unseen::{Before, Unseen};

/// The variable by which the tests know where to record; see tests/src/recording.rs.
pub const FOLDER_VARIABLE: &str = "ROLLBOOK_TEST_EXCHANGES";

/// Compare the API document with what the tests saw: all that was seen is documented, and all that is documented was seen
#[derive(Debug, Default, Args)]
pub struct Gate {
    /// Only check that the exchanges in these files are documented: records of tests (.jsonl) or events of schemathesis
    /// (.ndjson)
    /// [default: the record of the last `cargo xtask test` of everything, and whether it shows all that is documented]
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Judge by this document, of OpenAPI 3.1 [default: what `rollbook openapi --format yaml-3.1` writes]
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
}

/// The folder in which the next test run records, emptied.
pub fn fresh_record() -> Result<PathBuf> {
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).or_fail(folder.display())?;
    }
    fs::create_dir_all(&folder).or_fail(folder.display())?;
    Ok(folder)
}

fn folder() -> PathBuf {
    root().join("target").join("exchanges")
}

impl Gate {
    pub async fn run(self) -> Result<()> {
        let document = Document::read(self.document.as_deref()).await?;
        let mut judge = Judge::new(&document);
        let files = if self.files.is_empty() { recorded()? } else { self.files.clone() };
        for file in &files {
            for exchange in exchanges(file)? {
                judge.judge(&exchange);
            }
        }
        println!(
            "{} files: {} exchanges with operations, {} with what is none, {} bodies not kept",
            files.len(),
            judge.inside,
            judge.outside,
            judge.unread
        );
        let mut faults = report("seen and undocumented", &judge.undocumented)
            + report("seen otherwise than documented", &judge.untrue);
        let all = Promise::all(&document);
        if self.files.is_empty() {
            faults += unseen(&judge, &all).await?;
        } else {
            println!("documented and seen here: {} of {}", judge.seen.len(), all.len());
        }
        match (faults, judge.inside) {
            (_, 0) => Err(Failure::new("no exchange with an operation was recorded: there is nothing to judge by")),
            (0, _) => Ok(()),
            (faults, _) => Err(Failure::new(format_args!(
                "the document and the service disagree in {faults} points: mend whichever is wrong, or let a test show \
                 what is documented"
            ))),
        }
    }
}

/// Prints findings and returns their number.
fn report(title: &str, findings: &std::collections::BTreeMap<String, usize>) -> usize {
    println!("{title}: {}", findings.len());
    for (finding, times) in findings {
        println!("  {finding} ({times}x)");
    }
    findings.len()
}

/// Prints what is documented and was not seen, and the errors of tests/unseen.yaml; returns the number of faults.
async fn unseen(judge: &Judge<'_>, all: &std::collections::BTreeSet<Promise>) -> Result<usize> {
    let list = Unseen::now()?;
    let unseen: Vec<_> = all.difference(&judge.seen).collect();
    let unlisted: Vec<_> = unseen.iter().filter(|promise| list.reason(promise).is_none()).collect();
    println!(
        "documented and unseen: {} of {}, {} of them by the {} entries of {}",
        unseen.len(),
        all.len(),
        unseen.len() - unlisted.len(),
        list.len(),
        unseen::FILE
    );
    for promise in &unlisted {
        println!("  {promise}");
    }
    let faults = list.faults(all, &judge.seen, Before::find().await?.as_ref());
    for fault in &faults {
        println!("{}: {fault}", unseen::FILE);
    }
    Ok(unlisted.len() + faults.len())
}

/// The files of the last run of all tests.
fn recorded() -> Result<Vec<PathBuf>> {
    let folder = folder();
    let none = || Failure::new("no test run is recorded: run `cargo xtask test` first");
    let entries = fs::read_dir(&folder).map_err(|_| none())?;
    let mut files =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().or_fail(folder.display())?;
    files.sort();
    if files.is_empty() { Err(none()) } else { Ok(files) }
}

/// What a file holds, by its extension.
fn exchanges(file: &Path) -> Result<Vec<Exchange>> {
    let text = fs::read_to_string(file).or_fail(file.display())?;
    let exchanges = match file.extension().and_then(OsStr::to_str) {
        Some("ndjson") => events::parse(&text),
        _ => text.lines().map(Exchange::parse).collect(),
    };
    exchanges.or_fail(file.display())
}

#[cfg(test)]
mod tests;
