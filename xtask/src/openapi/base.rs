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
    /// The merge-base with the branch that changes go to.
    MergeBase,
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
    /// The document at a commit; where the merge-base is the very commit that is checked out, at the one before. `None`
    /// where there is no earlier document.
    pub async fn at(since: &Since) -> Result<Option<Self>> {
        let commit =
            match since {
                Since::Rev(rev) => Some(commit(rev).await.map_err(|_| {
                    Failure::told(format_args!("git knows no commit {rev}: name one that this clone has"))
                })?),
                Since::MergeBase => before().await?,
            };
        let Some(commit) = commit else { return Ok(None) };
        let Some(text) = file(&commit, FILE).await else { return Ok(None) };
        let document = serde_yaml::from_str(&text).or_fail(format_args!("{FILE} at {commit}"))?;
        Ok(Some(Self { commit, document }))
    }

    /// Another file of the commit; `None` where it has no such file.
    pub async fn file(&self, path: &str) -> Option<String> {
        file(&self.commit, path).await
    }
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

async fn commit(rev: &str) -> Result<String> {
    let named = git(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{commit}}")]);
    Ok(read("git rev-parse", named).await?.trim().to_owned())
}

fn git<const N: usize>(arguments: [&str; N]) -> Command {
    let mut git = program("git");
    git.args(arguments).stderr(std::process::Stdio::null());
    git
}
