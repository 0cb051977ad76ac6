//! The document of an earlier commit.

use tokio::process::Command;

use super::FILE;
use crate::document::Document;
use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::program;

/// Selects a commit.
#[derive(Debug, Clone)]
pub enum Since {
    /// The merge-base with the main branch, or the previous commit if that is the one checked out.
    MergeBase,
    /// The first commit whose document has this version or, if it is shorter, a version that starts with it.
    Version(String),
    /// A revision (gitrevisions(7)).
    Rev(String),
}

impl From<&str> for Since {
    /// An empty text selects the merge-base.
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::MergeBase } else { Self::Rev(text.to_owned()) }
    }
}

/// The document of a commit.
pub struct Base {
    pub commit: String,
    pub document: Document,
}

impl Base {
    /// Reads the document of a commit; `None` if there is no such commit with a document, as in a shallow clone.
    ///
    /// # Errors
    /// A revision is unknown, or the document cannot be read.
    pub async fn at(since: &Since) -> Result<Option<Self>> {
        let commit = match since {
            Since::Rev(rev) => Some(
                commit(rev).await.map_err(|_| Failure::new(format_args!("there is no commit {rev} in this clone")))?,
            ),
            Since::MergeBase => merge_base().await?,
            Since::Version(version) => first_of(version).await?,
        };
        let Some(commit) = commit else { return Ok(None) };
        let Some(text) = document(&commit).await else { return Ok(None) };
        let document = Document::parse(&text).or_fail(format_args!("{FILE} at {commit}"))?;
        Ok(Some(Self { commit, document }))
    }

    pub fn short_commit(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }
}

/// The document of a commit. Documents without permissions were unpublished drafts, which have no clients.
async fn document(commit: &str) -> Option<String> {
    let file = read("git show", git(["show", &format!("{commit}:{FILE}")])).await.ok();
    file.filter(|text| text.contains("\n      x-permission: "))
}

async fn merge_base() -> Result<Option<String>> {
    let head = commit("HEAD").await?;
    for branch in ["origin/HEAD", "origin/main", "main"] {
        let Ok(base) = read("git merge-base", git(["merge-base", "HEAD", branch])).await else { continue };
        let base = base.trim().to_owned();
        if base != head {
            return Ok(Some(base));
        }
    }
    // The first commit has no parent, and a shallow clone may lack it.
    Ok(commit("HEAD^").await.ok())
}

/// The oldest of the consecutive latest commits whose documents have this version.
async fn first_of(version: &str) -> Result<Option<String>> {
    let log = read("git log", git(["log", "--first-parent", "--format=%H", "--", FILE])).await?;
    let mut first = None;
    for commit in log.lines() {
        let Some(text) = document(commit).await else { break };
        if !has_version(&text, version) {
            break;
        }
        first = Some(commit.to_owned());
    }
    Ok(first)
}

/// Whether the document has this version, or one that starts with it.
fn has_version(document: &str, version: &str) -> bool {
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
    fn shorter_version_matches_by_its_parts() {
        let document = "openapi: 3.0.3\ninfo:\n  title: Rollbook\n  version: 1.20.3\npaths:\n  version: 9.0.0\n";
        for same in ["1", "1.20", "1.20.3"] {
            assert!(has_version(document, same), "{same}");
        }
        for other in ["1.2", "2", "9", "1.20.3.1", ""] {
            assert!(!has_version(document, other), "{other}");
        }
    }
}
