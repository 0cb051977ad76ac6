//! `rollbook students export`: writes all students to a file.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use domain::access::Principal;
use domain::record::{Record, Records, Visitor};
use domain::student::{Student, StudentFilter};
use domain::{Order, PageRequest};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::arguments::{FileFormat, Store};
use crate::cli::data_dir::directory_of;
use crate::cli::failure::Failure;
use crate::cli::{drafts, output};
use crate::http::StudentDocument;
use crate::http::export::Format;
use crate::system::SystemClock;

/// Writes all students to a file or to standard output.
pub async fn run(store: &Store, file: PathBuf, format: Option<FileFormat>, spreadsheet: bool) -> Result<(), Failure> {
    let format = format_of(&file, format, spreadsheet)?;
    let records = Records::new(store.open_existing().await?.students, Arc::new(SystemClock));
    let by = Principal::operator().grant()?;
    let filter = StudentFilter::default();
    let order = Order { descending: true, ..Order::BY_ID };
    let newest = records.list(&by, &filter, PageRequest { order, ..PageRequest::ONE }).await?.entries.pop();
    let progress = progress_bar(newest.map_or(0, |newest| newest.id.get().unsigned_abs()))?;
    if file == Path::new("-") {
        let mut export = Export::new(io::stdout(), format, progress);
        records.export(&by, &filter, &mut export).await?;
        return match export.finish() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            finished => Ok(finished.map(drop)?),
        };
    }
    if file.exists() {
        return Err(exists(&file));
    }
    let named = |error| Failure::new(format!("cannot write {}: {error}", file.display()));
    let draft = drafts::file_in(directory_of(&file)).map_err(named)?;
    let mut export = Export::new(draft.as_file(), format, progress);
    records.export(&by, &filter, &mut export).await?;
    let number = export.finish().map_err(named)?;
    draft.as_file().sync_all().map_err(named)?;
    match draft.persist_noclobber(&file) {
        Ok(_) => output::line(format_args!("Exported {number} students to {}.", file.display())),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&file)),
        Err(failed) => Err(named(failed.error)),
    }
}

fn exists(file: &Path) -> Failure {
    Failure::new(format!("{} exists: name a new file", file.display()))
}

fn format_of(file: &Path, format: Option<FileFormat>, for_spreadsheet: bool) -> Result<Format, Failure> {
    let is_ndjson = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ndjson"));
    match format.unwrap_or(if is_ndjson { FileFormat::Ndjson } else { FileFormat::Csv }) {
        FileFormat::Csv => Ok(Format::Csv { for_spreadsheet }),
        FileFormat::Ndjson if for_spreadsheet => {
            Err(Failure::new("--spreadsheet requires the format csv: remove it, or add --format csv"))
        }
        FileFormat::Ndjson => Ok(Format::Ndjson),
    }
}

/// A bar on a terminal, and none elsewhere.
fn progress_bar(newest_id: u64) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{bar:40} {percent} %, {msg} students, {eta} left")?;
    Ok(ProgressBar::new(newest_id).with_style(style).with_message("0"))
}

/// Writes the records of an export.
struct Export<W> {
    output: W,
    format: Format,
    written: u64,
    is_first: bool,
    outcome: io::Result<()>,
    progress: ProgressBar,
}

impl<W: Write> Export<W> {
    fn new(output: W, format: Format, progress: ProgressBar) -> Self {
        Self { output, format, written: 0, is_first: true, outcome: Ok(()), progress }
    }

    fn write(&mut self, records: Vec<Record<Student>>) -> io::Result<()> {
        let number = records.len() as u64;
        let last = records.last().map(|record| record.id.get().unsigned_abs());
        let text = self.format.write(records.into_iter().map(StudentDocument::from), self.is_first)?;
        self.output.write_all(&text)?;
        self.is_first = false;
        self.written += number;
        self.progress.set_message(self.written.to_string());
        if let Some(last) = last {
            self.progress.set_position(last);
        }
        Ok(())
    }

    /// The number of records.
    fn finish(mut self) -> io::Result<u64> {
        self.progress.finish_and_clear();
        self.outcome?;
        self.output.flush()?;
        Ok(self.written)
    }
}

#[async_trait]
impl<W: Write + Send> Visitor<Student> for Export<W> {
    async fn visit(&mut self, records: Vec<Record<Student>>) -> ControlFlow<()> {
        self.outcome = self.write(records);
        if self.outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
