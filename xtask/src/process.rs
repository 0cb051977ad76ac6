//! Child processes that never outlive their guard.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::failure::{Failure, Result, Settle};

/// How long a process may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A running process, in a process group of its own. Dropped, the whole group ends.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    farewell: Signal,
}

impl Process {
    /// Starts `command`; `name` stands for it in messages.
    pub fn start(name: impl Into<String>, mut command: Command) -> Result<Self> {
        Self::start_again(name, &mut command)
    }

    /// Starts what may be started more than once.
    pub fn start_again(name: impl Into<String>, command: &mut Command) -> Result<Self> {
        let name = name.into();
        let child = command.process_group(0).spawn().or_fail(format_args!("cannot start {name}"))?;
        Ok(Self { name, child, farewell: Signal::TERM })
    }

    /// Ends it with another signal than SIGTERM.
    pub fn ended_by(mut self, farewell: Signal) -> Self {
        self.farewell = farewell;
        self
    }

    /// Whether it has ended by itself, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Whether it takes connections at `address` within this time, and has not ended before.
    pub async fn listens(&mut self, address: SocketAddr, within: Duration) -> bool {
        let connected = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(POLL).await;
            }
        };
        tokio::select! {
            connected = timeout(within, connected) => connected.is_ok(),
            () = self.until_ended() => false,
        }
    }

    /// Returns once it has ended by itself.
    pub async fn until_ended(&mut self) {
        // An error means that there is nothing to wait for any more.
        let _ = self.child.wait().await;
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`Failure::Command`] unless it ends with success.
    pub async fn finish(mut self) -> Result<()> {
        let status = self.child.wait().await.or_fail(format_args!("cannot wait for {}", self.name))?;
        self.judge(status)
    }

    /// The first line of its standard output, which has to be piped; further lines are discarded.
    pub async fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line).await;
            read.or_fail(format_args!("cannot read what {} says", self.name))?;
        }
        Ok(line.trim_end().to_owned())
    }

    /// Waits for its end as [`Process::finish`] does, and gives what it wrote to its standard output.
    pub async fn finish_with_output(mut self) -> Result<String> {
        let mut text = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut text).await.or_fail(format_args!("cannot read what {} says", self.name))?;
        }
        self.finish().await.map(|()| text)
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if status.success() { Ok(()) } else { Err(Failure::Command { command: self.name.clone(), status }) }
    }

    fn signal(&self, signal: Signal) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It fails when the group has just ended, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        self.signal(self.farewell);
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

/// Runs `command` to its end; its output goes where ours does.
///
/// # Errors
/// [`Failure::Command`] unless it ends with success; one line when it cannot be started.
pub async fn run(name: impl Into<String>, command: Command) -> Result<()> {
    Process::start(name, command)?.finish().await
}

/// Runs `command` to its end and gives what it wrote to its standard output.
///
/// # Errors
/// As [`run`].
pub async fn read(name: impl Into<String>, mut command: Command) -> Result<String> {
    command.stdout(Stdio::piped());
    Process::start(name, command)?.finish_with_output().await
}
