//! The file of the key ring: reading it, replacing it, and telling whether it has changed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use adapter_jwt::KeyRing;
use secrecy::ExposeSecret;

use super::data_dir::SecretDraft;
use super::failure::Failure;

/// The most bytes that are read: more than the largest ring has.
const MAX_BYTES: u64 = 1024 * 1024;

/// A key ring's file, as it was when it was last looked at.
pub struct KeyFile {
    path: PathBuf,
    /// As it was before the last good reading began.
    seen: Option<Stamp>,
    /// What was wrong with it the last time.
    complaint: Option<String>,
}

/// What a reading of the file has brought.
pub enum Reading {
    /// Another ring, or the same one where it was asked for.
    Ring(KeyRing),
    /// No ring, and why; told once as long as nothing changes.
    Bad(String),
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

impl From<Metadata> for Stamp {
    fn from(metadata: Metadata) -> Self {
        Self { modified: (metadata.mtime(), metadata.mtime_nsec()), size: metadata.len(), inode: metadata.ino() }
    }
}

impl KeyFile {
    /// Reads the ring for the first time.
    pub fn open(path: &Path) -> Result<(Self, KeyRing), Failure> {
        let seen = fs::metadata(path).ok().map(Into::into);
        let ring = read(path)?;
        Ok((Self { path: path.to_owned(), seen, complaint: None }, ring))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file where it has changed since the last good reading, or in any case where `asked`.
    pub fn look(&mut self, asked: bool) -> Option<Reading> {
        // Before reading: what is written meanwhile is a change for the next time.
        let stamp = fs::metadata(&self.path).ok().map(Stamp::from);
        if !asked && stamp.is_some() && stamp == self.seen {
            self.complaint = None;
            return None;
        }
        match read(&self.path) {
            Ok(ring) => {
                (self.seen, self.complaint) = (stamp, None);
                Some(Reading::Ring(ring))
            }
            Err(failure) => {
                let complaint = failure.to_string();
                let told = self.complaint.replace(complaint.clone()).is_some_and(|before| before == complaint);
                (asked || !told).then_some(Reading::Bad(complaint))
            }
        }
    }
}

/// The ring in a file.
pub fn read(path: &Path) -> Result<KeyRing, Failure> {
    let cannot = |error: io::Error| Failure::new(format!("cannot read the key ring in {}: {error}", path.display()));
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text)).map_err(cannot)?;
    KeyRing::parse(&text)
        .map_err(|error| Failure::new(format!("the key ring in {} will not do: {error}", path.display())))
}

/// A ring that is written, and becomes the one in the file only when it is kept.
pub struct RingDraft {
    secret: SecretDraft,
    path: PathBuf,
    is_new: bool,
}

impl RingDraft {
    /// A ring for a file that is not there yet.
    pub fn of_new(path: &Path, ring: &KeyRing) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(is_there(path));
        }
        let secret = SecretDraft::of_new(path, ring.to_json()?.expose_secret().as_bytes());
        let secret = secret.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { secret, path: path.to_owned(), is_new: true })
    }

    /// A ring in the place of the one in the file.
    pub fn of_replacement(path: &Path, ring: &KeyRing) -> Result<Self, Failure> {
        let secret = SecretDraft::of_replacement(path, ring.to_json()?.expose_secret().as_bytes());
        let secret = secret.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { secret, path: path.to_owned(), is_new: false })
    }

    /// Makes it the ring that servers read.
    pub fn keep(self) -> Result<(), Failure> {
        let kept = if self.is_new { self.secret.appear() } else { self.secret.replace().map(|()| true) };
        match kept {
            Ok(true) => Ok(()),
            Ok(false) => Err(is_there(&self.path)),
            Err(error) => Err(cannot_write(&self.path, &error)),
        }
    }
}

fn is_there(path: &Path) -> Failure {
    Failure::new(format!("{} is there already: rollbook keys rotate adds a key to a ring", path.display()))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the key ring to {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use adapter_jwt::KeyAlgorithm;
    use time::macros::datetime;

    use super::*;
    use crate::system::SystemRandom;

    fn ring() -> KeyRing {
        KeyRing::generate(KeyAlgorithm::EdDsa, datetime!(2026-11-23 12:00 UTC), &SystemRandom).unwrap()
    }

    fn create(path: &Path, ring: &KeyRing) -> Result<(), Failure> {
        RingDraft::of_new(path, ring)?.keep()
    }

    fn replace(path: &Path, ring: &KeyRing) -> Result<(), Failure> {
        RingDraft::of_replacement(path, ring)?.keep()
    }

    fn id(ring: &KeyRing) -> &str {
        ring.keys()[0].id()
    }

    #[test]
    fn req_11_a_changed_file_is_read_once_and_an_unchanged_one_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let (first, second) = (ring(), ring());
        create(&path, &first).map_err(|f| f.to_string()).unwrap();
        let (mut file, read) = KeyFile::open(&path).map_err(|f| f.to_string()).unwrap();
        assert_eq!(id(&read), id(&first));
        assert!(file.look(false).is_none());
        assert!(matches!(file.look(true), Some(Reading::Ring(read)) if id(&read) == id(&first)));
        replace(&path, &second).map_err(|f| f.to_string()).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Ring(read)) if id(&read) == id(&second)));
        assert!(file.look(false).is_none());
        assert!(create(&path, &first).is_err(), "a ring is not overwritten");
    }

    #[test]
    fn req_11_a_torn_or_absent_file_is_told_once_and_read_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let (mut file, _) = KeyFile::open(&path).map_err(|f| f.to_string()).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Bad(why)) if why.contains("will not do")));
        assert!(file.look(false).is_none());
        assert!(matches!(file.look(true), Some(Reading::Bad(_))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Bad(why)) if why.contains("cannot read")));
        fs::write(&path, &whole).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Ring(_))));
    }
}
