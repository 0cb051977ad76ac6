//! Writing to standard output and standard error, which may be closed at any time. Lines for people show invisible characters and
//! controls of the text direction escaped.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Clock, Escaped, Page, PageRequest};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::failure::Failure;
use crate::system::SystemClock;

/// Whether messages are JSON, like the log of a server with `--log-format json`.
static WRITES_JSON: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output.
pub fn line(text: impl Display) -> Result<(), Failure> {
    all(format!("{}\n", Escaped(text)).as_bytes())
}

/// Prints the entries of all pages, one per line.
pub async fn pages<T, E>(
    page: impl AsyncFn(PageRequest) -> Result<Page<T>, E>,
    entry: impl Fn(&T) -> Result<String, Failure>,
) -> Result<(), Failure>
where
    Failure: From<E>,
{
    each(page, |found| line(entry(found)?)).await
}

/// Visits every entry of a list.
pub async fn each<T, E>(
    page: impl AsyncFn(PageRequest) -> Result<Page<T>, E>,
    mut visit: impl FnMut(&T) -> Result<(), Failure>,
) -> Result<(), Failure>
where
    Failure: From<E>,
{
    let mut request = PageRequest::LARGEST;
    loop {
        let page = page(request.clone()).await?;
        page.entries.iter().try_for_each(&mut visit)?;
        request.after = page.next;
        if request.after.is_none() {
            return Ok(());
        }
    }
}

/// Prints to standard output. A closed pipe is not an error.
pub fn all(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::new(format!("cannot write to standard output: {error}"))),
    }
}

/// Shows on a terminal what takes long.
pub fn progress(step: impl Display) {
    if io::stderr().is_terminal() {
        message(format_args!("{step} …"));
    }
}

/// Makes every later message a line of JSON, also that of a panic.
pub fn write_messages_as_json() {
    if !WRITES_JSON.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|panic| error(format_args!("{panic}"))));
    }
}

/// Whether messages are JSON.
pub fn writes_json() -> bool {
    WRITES_JSON.load(Ordering::Relaxed)
}

/// Prints a line to standard error; write errors are ignored.
pub fn message(text: impl Display) {
    write("INFO", text);
}

/// Prints the line of an error to standard error.
pub fn error(text: impl Display) {
    write("ERROR", text);
}

fn write(level: &str, text: impl Display) {
    let text = Escaped(text);
    let line = if writes_json() {
        let now = SystemClock.now().format(&Rfc3339).unwrap_or_default();
        let fields = json!({"message": text.to_string()});
        json!({"timestamp": now, "level": level, "fields": fields, "target": "rollbook"}).to_string()
    } else {
        text.to_string()
    };
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs itself in a separate process, because the hook and the format are those of the process.
    #[test]
    fn panic_is_one_line_of_json() {
        if std::env::var_os("PANICS").is_some() {
            write_messages_as_json();
            panic!("one\ntwo");
        }
        let test = "cli::output::tests::panic_is_one_line_of_json";
        let output =
            Command::new(std::env::current_exe().unwrap()).args([test, "--nocapture"]).env("PANICS", "1").output();
        let stderr = String::from_utf8(output.unwrap().stderr).unwrap();
        let line: serde_json::Value = serde_json::from_str(stderr.lines().next().unwrap()).unwrap();
        let message = line["fields"]["message"].as_str().unwrap();
        assert!(message.contains("output.rs") && message.contains("two"), "{message}");
    }
}
