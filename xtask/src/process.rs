//! Child processes that end when their guard is dropped.

use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::failure::{Failure, Result, Settle};

/// Maximum time between the stop signal and SIGKILL.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A running process in its own process group. Dropping this ends the whole group.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stop_signal: Signal,
}

impl Process {
    /// Starts `command`; messages refer to it as `name`.
    pub fn start(name: impl Into<String>, command: &mut Command) -> Result<Self> {
        let name = name.into();
        let child = command.process_group(0).spawn().or_fail(format_args!("cannot start {name}"))?;
        Ok(Self { name, child, stop_signal: Signal::TERM })
    }

    /// Sets the signal that ends the process on drop. The default is SIGTERM.
    pub fn stopped_by(mut self, stop_signal: Signal) -> Self {
        self.stop_signal = stop_signal;
        self
    }

    /// The exit status, if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until the process ends.
    pub async fn until_ended(&mut self) {
        // An error means that there is no process left to wait for.
        let _ = self.child.wait().await;
    }

    /// Waits until the process ends and checks its exit status.
    ///
    /// # Errors
    /// [`Failure::Command`] if the process fails.
    pub async fn finish(mut self) -> Result<()> {
        let status = self.child.wait().await.or_fail(format_args!("cannot wait for {}", self.name))?;
        if status.success() { Ok(()) } else { Err(Failure::Command { command: self.name.clone(), status }) }
    }

    /// Like [`Process::finish`]; returns the standard output.
    pub async fn finish_with_output(mut self) -> Result<String> {
        let mut text = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut text).await.or_fail(format_args!("cannot read the output of {}", self.name))?;
        }
        self.finish().await.map(|()| text)
    }

    fn signal(&self, signal: Signal) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // An error means that the group has already ended.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        self.signal(self.stop_signal);
        let since = Instant::now();
        while self.ended().is_none() {
            if since.elapsed() > GRACE {
                self.signal(Signal::KILL);
                let _ = self.child.start_kill();
                return;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Runs `command` to its end; it inherits standard output and standard error.
///
/// # Errors
/// [`Failure::Command`] if it fails, [`Failure::Message`] if it cannot be started.
pub async fn run(name: impl Into<String>, mut command: Command) -> Result<()> {
    Process::start(name, &mut command)?.finish().await
}

/// Runs `command` to its end and returns its standard output.
///
/// # Errors
/// As [`run`].
pub async fn read(name: impl Into<String>, mut command: Command) -> Result<String> {
    command.stdout(Stdio::piped());
    Process::start(name, &mut command)?.finish_with_output().await
}
