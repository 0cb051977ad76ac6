//! `cargo xtask openapi`: keeps `openapi.yaml` what the code says, and its clients unbroken.

pub mod base;
mod changelog;
mod compare;

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;

use clap::Args;
use serde_json::Value;

use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{cargo, root};
use base::{Base, Since};
use compare::{Effect, changes};

/// The document, in the root of the workspace.
const FILE: &str = "openapi.yaml";
/// The table of permissions, as a test reads it.
const PERMISSIONS: &str = "tests/permissions.txt";

/// Write openapi.yaml from the code, or report what it changes for clients
#[derive(Debug, Default, Args)]
pub struct OpenApi {
    /// Only compare it with the code, and fail where they differ; with --changelog, compare CHANGELOG.md
    #[arg(long)]
    pub check: bool,
    /// Only compare it with the one at REV, and fail on a breaking change unless the major version rises [default: the
    /// merge-base with the main branch, and the first one of this major version]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with = "check")]
    pub compat: Option<Since>,
    /// Add what it says otherwise than the one at REV to CHANGELOG.md [default: the first one of this version]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with = "compat")]
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

    /// Only compares CHANGELOG.md with it.
    pub fn changelog_check() -> Self {
        Self { check: true, changelog: Some(Since::MergeBase), ..Self::default() }
    }

    pub async fn run(self) -> Result<()> {
        if let Some(since) = &self.compat {
            return compatible(since).await;
        }
        if let Some(since) = &self.changelog {
            return record(since, self.check).await;
        }
        let generated = read("rollbook openapi", cargo(["run", "-q", "-p", "app", "--", "openapi"])).await?;
        let permissions = permissions(&yaml_serde::from_str(&generated).or_fail(FILE)?);
        for (name, generated) in [(FILE, generated), (PERMISSIONS, permissions)] {
            if self.check {
                compare(name, &generated)?;
            } else {
                fs::write(root().join(name), generated).or_fail(name)?;
            }
        }
        Ok(())
    }
}

/// A row for each operation of the document: its permission, and what that requires.
fn permissions(document: &Value) -> String {
    let mut table =
        "# Operation, permission, requirement: written by `cargo xtask openapi`, to be reviewed.\n".to_owned();
    for item in document["paths"].as_object().into_iter().flat_map(serde_json::Map::values) {
        for operation in item.as_object().into_iter().flat_map(serde_json::Map::values) {
            let text = |key: &str| operation[key].as_str();
            let (permission, otherwise) = text("x-permission").map_or(("public", "nothing"), |name| (name, "session"));
            let requirement = text("x-required-role").unwrap_or(otherwise);
            let id = text("operationId").unwrap_or_default();
            let _ = writeln!(table, "{id:<22} {permission:<19} {requirement}");
        }
    }
    table
}

/// Fails on a breaking change that no new major version announces: since the last document, and since the first one of
/// this major version, so that a break is not forgotten with the next commit.
async fn compatible(since: &Since) -> Result<()> {
    let document = checked_in()?;
    let mut bases = vec![Base::at(since).await?];
    if let Since::MergeBase = since {
        bases.push(Base::at(&Since::Version(major(&document)?.to_string())).await?);
    }
    let mut bases: Vec<_> = bases.into_iter().flatten().collect();
    bases.dedup_by(|one, other| one.commit == other.commit);
    if bases.is_empty() {
        println!("there is no earlier {FILE} to compare with, or this clone has no history");
    }
    bases.iter().try_for_each(|base| compatible_with(base, &document))
}

fn compatible_with(base: &Base, document: &Value) -> Result<()> {
    let changes = changes(&base.document, document);
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
    let (before, now) = (major(&base.document)?, major(document)?);
    if breaking == 0 || now > before {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{breaking} breaking changes since {}, and info.version is still {now}.x: take them back, or raise the major \
         version",
        short(&base.commit)
    )))
}

/// Writes what has changed into the changelog, or only fails where it is not there. Of a version that is new nothing has
/// changed; where a commit that is named has no document, all of it is new.
async fn record(since: &Since, only_check: bool) -> Result<()> {
    let document = checked_in()?;
    let changes = match since {
        Since::Rev(_) => {
            let base = Base::at(since).await?.map_or(Value::Null, |base| base.document);
            changes(&base, &document)
        }
        Since::MergeBase | Since::Version(_) => {
            let version = Since::Version(version(&document).to_owned());
            Base::at(&version).await?.map_or_else(Vec::new, |base| changes(&base.document, &document))
        }
    };
    let file = root().join("CHANGELOG.md");
    let known = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.or_fail("CHANGELOG.md")?,
    };
    let complete = changelog::with(&known, &changes);
    if !only_check {
        return fs::write(&file, complete).or_fail("CHANGELOG.md");
    }
    if changes.is_empty() || complete == known {
        return Ok(());
    }
    Err(Failure::new("CHANGELOG.md lacks what openapi.yaml has changed: run `cargo xtask openapi --changelog`"))
}

pub fn checked_in() -> Result<Value> {
    let text = fs::read_to_string(root().join(FILE)).or_fail(FILE)?;
    yaml_serde::from_str(&text).or_fail(FILE)
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

fn version(document: &Value) -> &str {
    document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
}

/// The major version of a document.
fn major(document: &Value) -> Result<u64> {
    let version = version(document);
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    major.ok_or_else(|| Failure::new(format_args!("info.version {version:?} of {FILE} is not a version")))
}

fn compare(name: &str, generated: &str) -> Result<()> {
    let checked_in = fs::read_to_string(root().join(name)).or_fail(name)?;
    match first_difference(&checked_in, generated) {
        None => Ok(()),
        Some(line) => Err(Failure::new(format_args!(
            "{name} differs from the code at line {line}: run `cargo xtask openapi` and check it in"
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
