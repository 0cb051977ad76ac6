//! `cargo xtask openapi`: keeps `openapi.yaml` what the code says.

use std::path::Path;

use clap::Args;

use crate::failure::{Failure, Result, Settle};
use crate::process::read;
use crate::workspace::{cargo, root};

/// Write openapi.yaml from the code
#[derive(Debug, Default, Args)]
pub struct OpenApi {
    /// Only compare it with the code, and fail where they differ
    #[arg(long)]
    pub check: bool,
}

impl OpenApi {
    pub async fn run(self) -> Result<()> {
        let generated = read("rollbook openapi", cargo(["run", "-q", "-p", "app", "--", "openapi"])).await?;
        let file = root().join("openapi.yaml");
        if self.check { compare(&file, &generated) } else { std::fs::write(&file, generated).or_fail("openapi.yaml") }
    }
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
fn first_difference(left: &str, right: &str) -> Option<usize> {
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
