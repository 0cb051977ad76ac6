//! The file format of a backup: a compressed tar archive that starts with a manifest, and a SHA-256 digest of it.
//!
//! The digest stands in the header of a second, empty gzip member, so that `tar -xzf` extracts a backup. It covers every byte
//! before it, and the bytes of the second member follow from it, so that any changed byte is found.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use adapter_sqlite::backup::Contents;
use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, Entry, Header};
use thiserror::Error;

const MANIFEST: &str = "manifest.json";
/// Maximum size of the manifest in bytes.
const MAX_MANIFEST: u64 = 64 << 10;
/// Version of the format.
const FORMAT: u32 = 1;
/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Description of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// Version of the program that created the backup.
    pub program: String,
    /// Time in RFC 3339 format.
    pub created_at: String,
    pub schema_version: u32,
    pub students: i64,
    pub users: i64,
    files: Vec<String>,
}

/// Error of reading an archive.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a backup of Rollbook")]
    Foreign,
    #[error("it has format {0}, and this program reads format {FORMAT}; use a newer release")]
    Format(u32),
    #[error("it is damaged: {0}; use another backup")]
    Damaged(String),
}

impl Manifest {
    /// Describes a store, and files with these names.
    pub fn new(created_at: String, contents: Contents, files: &[(&str, &Path)]) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            schema_version: contents.schema_version,
            students: contents.students,
            users: contents.users,
            files: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    /// Returns `true` if the backup contains a file of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }
}

/// Writes an archive of the described files.
///
/// # Errors
/// [`io::Error`]
pub fn write(to: &File, manifest: &Manifest, files: &[(&str, &Path)]) -> io::Result<()> {
    let compressed = GzEncoder::new(Digesting::new(BufWriter::new(to)), Compression::fast());
    let mut archive = Builder::new(compressed);
    let text = serde_json::to_vec_pretty(manifest)?;
    archive.append_data(&mut header(text.len() as u64), MANIFEST, &text[..])?;
    for (name, path) in files {
        let file = File::open(path)?;
        archive.append_data(&mut header(file.metadata()?.len()), name, file)?;
    }
    let (mut to, digest) = archive.into_inner()?.finish()?.finish();
    to.write_all(&trailer(&digest)?)?;
    to.flush()
}

fn header(bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

/// The second gzip member.
fn trailer(digest: &[u8]) -> io::Result<Vec<u8>> {
    GzBuilder::new().extra(digest).write(Vec::new(), Compression::fast()).finish()
}

/// Verifies an archive, and extracts its files into a directory, with mode 0600.
///
/// # Errors
/// [`ArchiveError`]
pub fn extract(from: &Path, into: &Path) -> Result<Manifest, ArchiveError> {
    let mut file = BufReader::new(File::open(from)?);
    let trailer_size = trailer(&[0; SHA256_OUTPUT_LEN])?.len() as u64;
    let size = file.get_ref().metadata()?.len().checked_sub(trailer_size).ok_or(ArchiveError::Foreign)?;
    let mut start = [0; GZIP.len()];
    file.read_exact(&mut start)?;
    if start != GZIP {
        return Err(ArchiveError::Foreign);
    }
    file.rewind()?;
    let mut content = Digesting::new(io::sink());
    io::copy(&mut file.by_ref().take(size), &mut content)?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    if end != trailer(&content.finish().1)? {
        return Err(ArchiveError::Damaged("its content differs from its digest".to_owned()));
    }
    file.seek(SeekFrom::Start(0))?;
    read_files(GzDecoder::new(file.take(size)), into)
}

fn read_files(content: impl Read, into: &Path) -> Result<Manifest, ArchiveError> {
    let mut archive = Archive::new(content);
    let mut entries = archive.entries()?;
    let manifest = read_manifest(entries.next().ok_or(ArchiveError::Foreign)??)?;
    for name in &manifest.files {
        let missing = || ArchiveError::Damaged(format!("{name} is missing"));
        let mut entry = entries.next().ok_or_else(missing)??;
        let is_plain = Path::new(name).file_name().is_some_and(|file| file == name.as_str());
        if !is_plain || *entry.path_bytes() != *name.as_bytes() {
            return Err(missing());
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(into.join(name))?;
        io::copy(&mut entry, &mut file)?;
        file.sync_all()?;
    }
    Ok(manifest)
}

fn read_manifest(entry: Entry<'_, impl Read>) -> Result<Manifest, ArchiveError> {
    /// The part that every format has.
    #[derive(Deserialize)]
    struct AnyFormat {
        format: u32,
    }
    if *entry.path_bytes() != *MANIFEST.as_bytes() {
        return Err(ArchiveError::Foreign);
    }
    let mut text = Vec::new();
    entry.take(MAX_MANIFEST).read_to_end(&mut text)?;
    let damaged = |error: serde_json::Error| ArchiveError::Damaged(format!("its manifest is invalid: {error}"));
    match serde_json::from_slice(&text).map_err(damaged)? {
        AnyFormat { format: FORMAT } => serde_json::from_slice(&text).map_err(damaged),
        AnyFormat { format } => Err(ArchiveError::Format(format)),
    }
}

/// Computes the digest of what is written.
struct Digesting<W> {
    to: W,
    digest: Context,
}

impl<W: Write> Digesting<W> {
    fn new(to: W) -> Self {
        Self { to, digest: Context::new(&SHA256) }
    }

    /// The writer, and the digest.
    fn finish(self) -> (W, Vec<u8>) {
        (self.to, self.digest.finish().as_ref().to_vec())
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
