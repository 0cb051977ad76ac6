//! `cargo xtask gate`: compares recorded exchanges with the API document, in both directions.

mod exchange;
mod judge;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::document::Document;
use crate::failure::{Failure, Result, Settle};
use crate::openapi;
use crate::workspace::root;
use exchange::Exchange;
use judge::{Judge, documented};

/// Environment variable with the folder in which the tests record exchanges; see tests/src/recording.rs.
pub const FOLDER_VARIABLE: &str = "ROLLBOOK_TEST_EXCHANGES";

/// Compare the API document with the exchanges of the tests: each response is documented, and each documented one is seen
#[derive(Debug, Default, Args)]
pub struct Gate {
    /// Files with exchanges recorded by tests (.jsonl) or schemathesis (.ndjson); checks only that their responses are
    /// documented [default: the files of the last complete `cargo xtask test`, checked in both directions]
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// OpenAPI 3.1 document [default: the output of `rollbook openapi --format yaml-3.1`]
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
}

/// Returns the folder for the exchanges of the next test run, emptied.
pub fn fresh_record() -> Result<PathBuf> {
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).or_fail(folder.display())?;
    }
    fs::create_dir_all(&folder).or_fail(folder.display()).map(|()| folder)
}

fn folder() -> PathBuf {
    root().join("target/exchanges")
}

impl Gate {
    pub async fn run(self) -> Result<()> {
        let document = match &self.document {
            Some(file) => Document::read(file)?,
            None => Document::parse(&openapi::generate("yaml-3.1").await?)?,
        };
        if !document.openapi.starts_with("3.1.") {
            return Err(Failure::new(
                "the document is not OpenAPI 3.1: `rollbook openapi --format yaml-3.1` writes one",
            ));
        }
        let mut judge = Judge::new(&document);
        let files = if self.files.is_empty() { recorded()? } else { self.files.clone() };
        for file in &files {
            for exchange in exchanges(file)? {
                judge.judge(&exchange);
            }
        }
        println!(
            "{} files: {} exchanges with operations, {} others, {} bodies not recorded",
            files.len(),
            judge.inside,
            judge.outside,
            judge.unread
        );
        let mut errors =
            report("seen and undocumented", &judge.undocumented) + report("contradicting the document", &judge.untrue);
        let all = documented(&document);
        if self.files.is_empty() {
            let unseen = all.difference(&judge.seen).map(|statement| (statement.clone(), 0)).collect();
            errors += report("documented and unseen", &unseen);
        }
        println!("documented and seen: {} of {}", judge.seen.len(), all.len());
        match (errors, judge.inside) {
            (_, 0) => Err(Failure::new("no exchange with an operation is recorded")),
            (0, _) => Ok(()),
            (errors, _) => Err(Failure::new(format_args!(
                "{errors} differences between the document and the service: correct the wrong one, or add a test that \
                 shows the documented response"
            ))),
        }
    }
}

/// Prints findings and returns their number.
fn report(title: &str, findings: &BTreeMap<String, usize>) -> usize {
    println!("{title}: {}", findings.len());
    for (finding, times) in findings {
        println!("  {finding} ({times}x)");
    }
    findings.len()
}

/// The files of the last complete test run.
fn recorded() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder()).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let none = || Failure::new("no test run is recorded: run `cargo xtask test` first");
    if files.is_empty() { Err(none()) } else { Ok(files) }
}

/// Reads the exchanges in a file; its extension states the format.
fn exchanges(file: &Path) -> Result<Vec<Exchange>> {
    let text = fs::read_to_string(file).or_fail(file.display())?;
    let exchanges = match file.extension().and_then(OsStr::to_str) {
        Some("ndjson") => exchange::of_schemathesis(&text),
        _ => text.lines().map(Exchange::parse).collect(),
    };
    exchanges.or_fail(file.display())
}

#[cfg(test)]
mod tests;
