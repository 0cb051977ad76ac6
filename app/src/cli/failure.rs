//! The error type of the command line.

use std::error::Error;
use std::fmt;

/// One-line message for stderr: the error and, if possible, a remedy.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Joins an error and its causes on one line.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let causes = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
        let mut lines: Vec<String> = Vec::new();
        for cause in causes.map(|cause| cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")) {
            // Many error texts already end with the text of their cause.
            if !lines.last().is_some_and(|line| line.ends_with(&cause)) {
                lines.push(cause);
            }
        }
        Self(lines.join(": "))
    }
}
