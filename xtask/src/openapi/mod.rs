//! `cargo xtask openapi`: generates openapi.yaml, and compares it with earlier versions.

pub mod base;
mod changelog;
mod compare;

use std::fmt::Write as _;
use std::fs;

use clap::Args;

use crate::document::Document;
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{cargo, root};
use base::{Base, Since};
use compare::{Change, Effect, changes};

/// The document, in the root of the workspace.
pub const FILE: &str = "openapi.yaml";
/// The permission of each operation, for review; a test reads it.
const PERMISSIONS: &str = "tests/permissions.txt";

/// Write openapi.yaml from the code, or compare it with an earlier version
#[derive(Debug, Default, Args)]
pub struct OpenApi {
    /// Compare openapi.yaml with the code; with --changelog, compare CHANGELOG.md with openapi.yaml
    #[arg(long)]
    pub check: bool,
    /// Report the changes since REV; fail on a breaking change without a reason in CHANGELOG.md, unless the major
    /// version is higher [default: the merge-base with the main branch, and the first document of this major version]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with = "check")]
    pub compat: Option<Since>,
    /// Add the changes since REV to CHANGELOG.md [default: since the first document of this version]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with = "compat")]
    pub changelog: Option<Since>,
}

impl OpenApi {
    pub async fn run(self) -> Result<()> {
        if let Some(since) = &self.compat {
            return check_compatibility(since).await;
        }
        if let Some(since) = &self.changelog {
            return update_changelog(since, self.check).await;
        }
        let generated = generate("yaml").await?;
        let permissions = permissions(&Document::parse(&generated)?);
        for (name, generated) in [(FILE, generated), (PERMISSIONS, permissions)] {
            if self.check {
                require_same(name, &generated, "openapi")?;
            } else {
                fs::write(root().join(name), generated).or_fail(name)?;
            }
        }
        Ok(())
    }
}

/// Returns the document as the code generates it.
pub async fn generate(format: &str) -> Result<String> {
    read("rollbook openapi", cargo(["run", "-q", "-p", "app", "--", "openapi", "--format", format])).await
}

/// Fails if the checked-in file differs from what `cargo xtask VERB` writes.
pub fn require_same(name: &str, generated: &str, verb: &str) -> Result<()> {
    let checked_in = fs::read_to_string(root().join(name)).or_fail(name)?;
    match first_difference(&checked_in, generated) {
        None => Ok(()),
        Some(line) => Err(Failure::new(format_args!(
            "{name} is out of date at line {line}: run `cargo xtask {verb}` and check it in"
        ))),
    }
}

/// The number, from 1, of the first line in which two texts differ.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left.split('\n').zip(right.split('\n')).take_while(|(left, right)| left == right);
    Some(same.count() + 1)
}

/// A line for each operation: its id, its permission, and the least role or the session that the permission requires.
fn permissions(document: &Document) -> String {
    let mut table =
        "# Operation, permission, requirement: written by `cargo xtask openapi`, to be reviewed.\n".to_owned();
    for operation in &document.operations {
        let (permission, otherwise) =
            operation.permission.as_deref().map_or(("public", "nothing"), |it| (it, "session"));
        let requirement = operation.role.map_or(otherwise.to_owned(), |role| role.to_string());
        let _ = writeln!(table, "{:<22} {permission:<19} {requirement}", operation.id);
    }
    table
}

/// The second comparison repeats breaking changes of earlier commits until the major version rises.
async fn check_compatibility(since: &Since) -> Result<()> {
    let document = Document::read(&root().join(FILE))?;
    let mut bases = vec![Base::at(since).await?];
    if let Since::MergeBase = since {
        bases.push(Base::at(&Since::Version(document.major_version()?.to_string())).await?);
    }
    let mut bases: Vec<_> = bases.into_iter().flatten().collect();
    bases.dedup_by(|one, other| one.commit == other.commit);
    if bases.is_empty() {
        println!("there is no earlier {FILE} in this clone to compare with");
    }
    let changelog = fs::read_to_string(root().join(changelog::FILE)).unwrap_or_default();
    bases.iter().try_for_each(|base| check_against(base, &document, &changelog))
}

fn check_against(base: &Base, document: &Document, changelog: &str) -> Result<()> {
    let changes = changes(&base.document, document);
    let count = |effect| changes.iter().filter(|change| change.effect == effect).count();
    let commit = base.short_commit();
    // A reason of an earlier release does not cover a new change.
    let changelog = changelog.split(&format!("\n## {}", base.document.info.version)).next().unwrap_or_default();
    println!(
        "{FILE} since {commit}: {} breaking, {} added, {} changed",
        count(Effect::Breaking),
        count(Effect::Added),
        count(Effect::Changed)
    );
    let mut unexplained = 0;
    for change in changes.iter().filter(|change| change.effect == Effect::Breaking) {
        let reason = changelog::reason(changelog, change);
        println!("breaking: {change}; reason: {}", reason.unwrap_or("none"));
        unexplained += usize::from(reason.is_none());
    }
    if unexplained == 0 || document.major_version()? > base.document.major_version()? {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{unexplained} breaking changes since {commit} without a new major version: revert them, raise the version, or \
         run `cargo xtask openapi --changelog` and write the reason after each line, as in `- …: removed. Reason: …`"
    )))
}

/// Adds the changes to the changelog, or fails if some are missing there. If the named commit has no document, all of the
/// document is new; a new version has no changes yet.
async fn update_changelog(since: &Since, check: bool) -> Result<()> {
    let document = Document::read(&root().join(FILE))?;
    let (base, default) = match since {
        Since::Rev(_) => (Base::at(since).await?, Some(Document::default())),
        Since::MergeBase | Since::Version(_) => (Base::at(&Since::Version(document.info.version.clone())).await?, None),
    };
    let base = base.map(|base| base.document).or(default);
    let changes: Vec<Change> = base.map_or_else(Vec::new, |base| changes(&base, &document));
    let file = root().join(changelog::FILE);
    let known = fs::read_to_string(&file).unwrap_or_default();
    let complete = changelog::with(&known, &changes);
    if !check {
        return fs::write(&file, complete).or_fail(changelog::FILE);
    }
    if changes.is_empty() || complete == known {
        return Ok(());
    }
    Err(Failure::new("CHANGELOG.md lacks changes of openapi.yaml: run `cargo xtask openapi --changelog`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaking_change_needs_a_reason_or_a_new_major_version() {
        let document = |version: &str, paths: &str| {
            Document::parse(&format!("{{openapi: 3.0.3, info: {{version: {version}}}, paths: {{{paths}}}}}")).unwrap()
        };
        let base = Base { commit: "0".repeat(40), document: document("1.0.0", "/x: {get: {responses: {}}}") };
        let removed = "## Unreleased\n\n- `GET /x`: removed";
        let earlier = "## Unreleased\n\n## 1.0.0\n\n- `GET /x`: removed. Reason: no client calls it.";
        assert!(check_against(&base, &document("1.1.0", ""), earlier).is_err());
        assert!(check_against(&base, &document("1.1.0", ""), removed).is_err());
        assert!(
            check_against(&base, &document("1.1.0", ""), &format!("{removed}. Reason: no client calls it.")).is_ok()
        );
        assert!(check_against(&base, &document("2.0.0", ""), "").is_ok());
    }

    #[test]
    fn first_difference_is_the_number_of_a_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\nc\n", "a\nB\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2), "one is longer");
        assert_eq!(first_difference("a\nb\n", "a\nb"), Some(3), "the last line break is missing");
        assert_eq!(first_difference("a\r\n", "a\n"), Some(1));
    }
}
