//! The document as it was at an earlier commit.

use serde_json::Value;
use tokio::process::Command;

use super::FILE;
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::program;

/// Which commit is meant.
#[derive(Debug, Clone)]
pub enum Since {
    /// The merge-base with the branch that changes go to; where that is the very commit that is checked out, the one
    /// before.
    MergeBase,
    /// The first whose document has this version, all of it or what it begins with.
    Version(String),
    /// What git knows under this name.
    Rev(String),
}

impl From<&str> for Since {
    /// Nothing is the merge-base.
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::MergeBase } else { Self::Rev(text.to_owned()) }
    }
}

/// The document at a commit.
pub struct Base {
    /// What git calls the commit.
    pub commit: String,
    pub document: Value,
}

impl Base {
    /// The document at a commit; `None` where there is no earlier document, as in a clone without its history.
    pub async fn at(since: &Since) -> Result<Option<Self>> {
        let commit = match since {
            Since::Rev(rev) => Some(
                commit(rev).await.map_err(|_| Failure::new(format_args!("there is no commit {rev} in this clone")))?,
            ),
            Since::MergeBase => before().await?,
            Since::Version(version) => first_of(version).await?,
        };
        let Some(commit) = commit else { return Ok(None) };
        let Some(text) = document(&commit).await else { return Ok(None) };
        let document = yaml_serde::from_str(&text).or_fail(format_args!("{FILE} at {commit}"))?;
        Ok(Some(Self { commit, document }))
    }

    /// Another file of the commit; `None` where it has no such file.
    pub async fn file(&self, path: &str) -> Option<String> {
        file(&self.commit, path).await
    }
}

/// The document of a commit. Those in which operations state no permissions were drafts that were never published: no
/// client depends on them.
async fn document(commit: &str) -> Option<String> {
    file(commit, FILE).await.filter(|text| text.contains("\n      x-permission: "))
}

async fn file(commit: &str, path: &str) -> Option<String> {
    read("git show", git(["show", &format!("{commit}:{path}")])).await.ok()
}

async fn before() -> Result<Option<String>> {
    let head = commit("HEAD").await?;
    for branch in ["origin/HEAD", "origin/main", "main"] {
        let Ok(base) = read("git merge-base", git(["merge-base", "HEAD", branch])).await else { continue };
        let base = base.trim().to_owned();
        if base != head {
            return Ok(Some(base));
        }
    }
    // A clone may end at its first commit.
    Ok(commit("HEAD^").await.ok())
}

/// The first of the latest commits whose documents have a version that begins with `version`.
async fn first_of(version: &str) -> Result<Option<String>> {
    let log = read("git log", git(["log", "--first-parent", "--format=%H", "--", FILE])).await?;
    let mut first = None;
    for commit in log.lines() {
        let Some(text) = document(commit).await else { break };
        if !is_of(&text, version) {
            break;
        }
        first = Some(commit.to_owned());
    }
    Ok(first)
}

/// Whether the document's version is this one, or begins with it.
fn is_of(document: &str, version: &str) -> bool {
    let mut lines = document.lines().take_while(|line| *line != "paths:");
    lines.find_map(|line| line.strip_prefix("  version: ")).is_some_and(|version_in_document| {
        version_in_document.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

async fn commit(rev: &str) -> Result<String> {
    let named = git(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{commit}}")]);
    Ok(read("git rev-parse", named).await?.trim().to_owned())
}

fn git<const N: usize>(arguments: [&str; N]) -> Command {
    let mut git = program("git");
    git.args(arguments).stderr(std::process::Stdio::null());
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_by_its_beginning() {
        let document = "openapi: 3.0.3\ninfo:\n  title: Rollbook\n  version: 1.20.3\npaths:\n  version: 9.0.0\n";
        for same in ["1", "1.20", "1.20.3"] {
            assert!(is_of(document, same), "{same}");
        }
        for other in ["1.2", "2", "9", "1.20.3.1", ""] {
            assert!(!is_of(document, other), "{other}");
        }
    }
}
