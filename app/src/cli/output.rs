//! Writing to standard output and standard error, which may be closed at any time. Lines for people show invisible characters and
//! controls of the text direction escaped.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use domain::{Escaped, Page, PageRequest};

use super::failure::Failure;

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
        let page = page(request).await?;
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

/// Prints a line to standard error; write errors are ignored.
pub fn message(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", Escaped(text));
}
