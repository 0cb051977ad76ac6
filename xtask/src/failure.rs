//! Why a verb failed: one line for a person, and the exit status.

use std::fmt::Display;
use std::process::ExitStatus;

use thiserror::Error;

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a verb failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// One line that says what to do.
    #[error("{0}")]
    Message(String),
    /// A command failed, and has said itself why.
    #[error("{command} failed ({status})")]
    Command { command: String, status: ExitStatus },
    /// This signal came.
    #[error("interrupted")]
    Interrupted(i32),
}

impl Failure {
    /// Says `message`, its line breaks taken out.
    pub fn new(message: impl Display) -> Self {
        let message = message.to_string();
        Self::Message(message.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The exit status: the failed command's own where it had one, 128 and the number for a signal, else 1.
    pub fn status(&self) -> u8 {
        let status = match self {
            Self::Message(_) => None,
            Self::Command { status, .. } => status.code(),
            Self::Interrupted(signal) => Some(128 + signal),
        };
        status.and_then(|status| u8::try_from(status).ok()).filter(|status| *status != 0).unwrap_or(1)
    }
}

/// Makes a [`Failure`] of any error.
pub trait Settle<T> {
    /// `doing: the error` as the failure.
    fn or_fail(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Display> Settle<T> for Result<T, E> {
    fn or_fail(self, doing: impl Display) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{doing}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Err::<(), _>("first\n  second").or_fail("reading");
        assert_eq!(failure.unwrap_err().to_string(), "reading: first second");
    }

    #[test]
    fn the_exit_status_of_a_failed_command_is_passed_on() {
        let failed = |raw| Failure::Command { command: "cargo".into(), status: ExitStatus::from_raw(raw) }.status();
        assert_eq!(failed(101 << 8), 101);
        assert_eq!(failed(9), 1, "killed: it had no status");
        assert_eq!(Failure::new("no").status(), 1);
        assert_eq!(Failure::Interrupted(15).status(), 143);
    }
}
