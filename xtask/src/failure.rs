//! The error type of all verbs: a one-line message and an exit status.

use std::fmt::Display;
use std::process::ExitStatus;

use thiserror::Error;

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Cause of a failed verb.
#[derive(Debug, Error)]
pub enum Failure {
    /// A message of one line.
    #[error("{0}")]
    Message(String),
    /// A command failed and has printed the cause itself.
    #[error("{command} failed ({status})")]
    Command { command: String, status: ExitStatus },
    /// The process received this signal.
    #[error("interrupted")]
    Interrupted(i32),
}

impl Failure {
    /// Joins the lines of `message`.
    pub fn new(message: impl Display) -> Self {
        Self::Message(one_line(&message.to_string()))
    }

    /// The exit status: that of the failed command if it had one, 128 + the number of a signal, otherwise 1.
    pub fn status(&self) -> u8 {
        let status = match self {
            Self::Message(_) => None,
            Self::Command { status, .. } => status.code(),
            Self::Interrupted(signal) => Some(128 + signal),
        };
        status.and_then(|status| u8::try_from(status).ok()).filter(|status| *status != 0).unwrap_or(1)
    }
}

/// Conversion of any error into a [`Failure`] with context.
pub trait Settle<T> {
    /// Maps the error to a [`Failure`] with the message `doing: error`.
    fn or_fail(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Display> Settle<T> for Result<T, E> {
    fn or_fail(self, doing: impl Display) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{doing}: {error}")))
    }
}

/// The text with a space in place of all white space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn failure_message_is_one_line() {
        let failure = Err::<(), _>("first\n  second").or_fail("reading");
        assert_eq!(failure.unwrap_err().to_string(), "reading: first second");
    }

    #[test]
    fn exit_status_is_that_of_failed_command() {
        let failed = |raw| Failure::Command { command: "cargo".into(), status: ExitStatus::from_raw(raw) }.status();
        assert_eq!(failed(101 << 8), 101);
        assert_eq!(failed(9), 1, "a killed command has no exit status");
        assert_eq!(Failure::new("no").status(), 1);
        assert_eq!(Failure::Interrupted(15).status(), 143);
    }
}
