//! `cargo xtask openapi`: keeps `openapi.yaml` what the code says, and its clients unbroken.

pub mod base;
mod changelog;
mod compare;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use clap::Args;
use serde_json::Value;

use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{cargo, root};
use base::{Base, Since};
use compare::{Effect, changes};

/// The document, in the root of the workspace.
const FILE: &str = "openapi.yaml";

/// Write openapi.yaml from the code, or tell what it changes for clients
#[derive(Debug, Default, Args)]
pub struct OpenApi {
    /// Only compare it with the code, and fail where they differ
    #[arg(long)]
    pub check: bool,
    /// Only compare it with the one at REV, and fail on a breaking change unless the major version rises [default: the
    /// merge-base with the main branch]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with = "check")]
    pub compat: Option<Since>,
    /// Add what it says otherwise than the one at REV to CHANGELOG.md [default: as for --compat]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["check", "compat"])]
    pub changelog: Option<Since>,
}

impl OpenApi {
    /// Only compares it with the code.
    pub fn check() -> Self {
        Self { check: true, ..Self::default() }
    }

    /// Only compares it with the one before.
    pub fn compat() -> Self {
        Self { compat: Some(Since::MergeBase), ..Self::default() }
    }

    pub async fn run(self) -> Result<()> {
        if let Some(since) = &self.compat {
            return compatible(since).await;
        }
        if let Some(since) = &self.changelog {
            return record(since).await;
        }
        let generated = read("rollbook openapi", cargo(["run", "-q", "-p", "app", "--", "openapi"])).await?;
        let file = root().join(FILE);
        if self.check { compare(&file, &generated) } else { fs::write(&file, generated).or_fail(FILE) }
    }
}

/// Fails on a breaking change that no new major version announces.
async fn compatible(since: &Since) -> Result<()> {
    let Some(base) = Base::at(since).await? else {
        println!("there is no earlier {FILE} to compare with");
        return Ok(());
    };
    let document = checked_in()?;
    let changes = changes(&base.document, &document);
    let count = |effect| changes.iter().filter(|change| change.effect == effect).count();
    let breaking = count(Effect::Breaking);
    for change in changes.iter().filter(|change| change.effect == Effect::Breaking) {
        println!("breaking: {change}");
    }
    println!(
        "{FILE} since {}: {breaking} breaking, {} added, {} changed",
        short(&base.commit),
        count(Effect::Added),
        count(Effect::Changed)
    );
    let (before, now) = (major(&base.document)?, major(&document)?);
    if breaking == 0 || now > before {
        return Ok(());
    }
    Err(Failure::told(format_args!(
        "{breaking} breaking changes since {}, and info.version is still {now}.x: take them back, or raise the major \
         version",
        short(&base.commit)
    )))
}

/// Writes what has changed into the changelog; where there is no document before, all of it is new.
async fn record(since: &Since) -> Result<()> {
    let base = Base::at(since).await?.map_or(Value::Null, |base| base.document);
    let changes = changes(&base, &checked_in()?);
    let file = root().join("CHANGELOG.md");
    let known = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.or_fail("CHANGELOG.md")?,
    };
    fs::write(&file, changelog::with(&known, &changes)).or_fail("CHANGELOG.md")
}

fn checked_in() -> Result<Value> {
    let text = fs::read_to_string(root().join(FILE)).or_fail(FILE)?;
    serde_yaml::from_str(&text).or_fail(FILE)
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// The major version of a document.
fn major(document: &Value) -> Result<u64> {
    let version = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    major.ok_or_else(|| Failure::told(format_args!("info.version {version:?} of {FILE} is no version")))
}

fn compare(file: &Path, generated: &str) -> Result<()> {
    let checked_in = std::fs::read_to_string(file).or_fail("openapi.yaml")?;
    match first_difference(&checked_in, generated) {
        None => Ok(()),
        Some(line) => Err(Failure::told(format_args!(
            "openapi.yaml differs from the code at line {line}: run `cargo xtask openapi` and check it in"
        ))),
    }
}

/// The number, from 1, of the first line in which two texts differ.
pub fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left.split('\n').zip(right.split('\n')).take_while(|(left, right)| left == right);
    Some(same.count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\nc\n", "a\nB\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2), "one is longer");
        assert_eq!(first_difference("a\nb\n", "a\nb"), Some(3), "the last line break is missing");
        assert_eq!(first_difference("a\r\n", "a\n"), Some(1));
    }
}
