//! The file of the key ring: reading, replacing and change detection.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use adapter_jwt::KeyRing;
use secrecy::ExposeSecret;

use super::data_dir::SecretDraft;
use super::failure::Failure;
use super::secret_text;

/// A key ring's file and the state of its last check.
pub struct KeyFile {
    path: PathBuf,
    /// Stamp taken before the last successful read.
    stamp: Option<Stamp>,
    /// Error of the last check, and the number of checks since it was reported.
    last_error: Option<(String, u32)>,
}

/// Result of a check of the file.
pub enum Reading {
    /// A changed ring, or the current one if the read was forced.
    Ring(KeyRing),
    /// An error message; an unchanged one is reported again every [`KeyFile::REMINDER`] checks.
    Invalid(String),
}

/// File metadata that changes when the file is replaced or written.
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
    /// Number of checks after which a persistent error is reported again, because the server misses revocations meanwhile.
    pub const REMINDER: u32 = 30;

    /// Opens the file and reads the ring.
    pub fn open(path: &Path) -> Result<(Self, KeyRing), Failure> {
        let stamp = fs::metadata(path).ok().map(Into::into);
        let ring = read(path)?;
        Ok((Self { path: path.to_owned(), stamp, last_error: None }, ring))
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file if it has changed since the last successful read, or if `forced`.
    pub fn check(&mut self, forced: bool) -> Option<Reading> {
        // Before reading: a concurrent write then counts as a change at the next check.
        let stamp = fs::metadata(&self.path).ok().map(Stamp::from);
        if !forced && stamp.is_some() && stamp == self.stamp {
            self.last_error = None;
            return None;
        }
        match read(&self.path) {
            Ok(ring) => {
                (self.stamp, self.last_error) = (stamp, None);
                Some(Reading::Ring(ring))
            }
            Err(failure) => {
                let message = failure.to_string();
                let unreported = match self.last_error.take() {
                    Some((before, unreported)) if before == message => Some(unreported),
                    _ => None,
                };
                let is_due = unreported.is_none_or(|unreported| unreported + 1 >= Self::REMINDER);
                let report = forced || is_due;
                self.last_error = Some((message.clone(), if report { 0 } else { unreported.unwrap_or_default() + 1 }));
                report.then_some(Reading::Invalid(message))
            }
        }
    }
}

/// Reads the ring in a file.
pub fn read(path: &Path) -> Result<KeyRing, Failure> {
    read_with_text(path).map(|(_, ring)| ring)
}

fn read_with_text(path: &Path) -> Result<(Vec<u8>, KeyRing), Failure> {
    let cannot = |error: io::Error| Failure::new(format!("cannot read the key ring in {}: {error}", path.display()));
    let text = secret_text::read(path).map_err(cannot)?;
    let ring = KeyRing::parse(&text)
        .map_err(|error| Failure::new(format!("the key ring in {} is invalid: {error}", path.display())))?;
    Ok((text, ring))
}

/// The ring in a file, locked against changes by other processes until this is dropped.
pub struct LockedRing {
    path: PathBuf,
    text: Vec<u8>,
    ring: KeyRing,
    /// The directory, which holds the lock.
    _directory: File,
}

impl LockedRing {
    /// Waits for the lock, then reads the ring. On a file system without locks, [`LockedRing::replace`] detects concurrent
    /// changes.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let cannot =
            |error: io::Error| Failure::new(format!("cannot read the key ring in {}: {error}", path.display()));
        let path = path.canonicalize().map_err(cannot)?;
        // The directory is locked because each change replaces the file itself.
        let directory = File::open(path.parent().unwrap_or(Path::new("/"))).map_err(cannot)?;
        let _ = directory.lock();
        let (text, ring) = read_with_text(&path)?;
        Ok(Self { path, text, ring, _directory: directory })
    }

    /// The current ring.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Draft of a replacement.
    pub fn draft(&self, ring: &KeyRing) -> Result<RingDraft, Failure> {
        RingDraft::of_replacement(&self.path, ring)
    }

    /// Replaces the ring with the draft.
    ///
    /// # Errors
    /// [`Failure`] if another process has changed the file since it was read.
    pub fn replace(self, draft: RingDraft) -> Result<(), Failure> {
        if read_with_text(&self.path)?.0 != self.text {
            return Err(Failure::new(format!(
                "the key ring in {} was changed by another process and was not replaced: try again",
                self.path.display()
            )));
        }
        draft.commit()
    }
}

/// A written ring that takes effect when it is committed.
pub struct RingDraft {
    secret: SecretDraft,
    path: PathBuf,
    is_new: bool,
}

impl RingDraft {
    /// Draft for a new file.
    pub fn of_new(path: &Path, ring: &KeyRing) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(already_exists(path));
        }
        let secret = SecretDraft::of_new(path, ring.to_json()?.expose_secret().as_bytes());
        let secret = secret.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { secret, path: path.to_owned(), is_new: true })
    }

    /// Draft that replaces the existing file.
    fn of_replacement(path: &Path, ring: &KeyRing) -> Result<Self, Failure> {
        let secret = SecretDraft::of_replacement(path, ring.to_json()?.expose_secret().as_bytes());
        let secret = secret.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { secret, path: path.to_owned(), is_new: false })
    }

    /// Moves the draft to the path that servers read.
    pub fn commit(self) -> Result<(), Failure> {
        let committed = if self.is_new { self.secret.create() } else { self.secret.replace().map(|()| true) };
        match committed {
            Ok(true) => Ok(()),
            Ok(false) => Err(already_exists(&self.path)),
            Err(error) => Err(cannot_write(&self.path, &error)),
        }
    }
}

fn already_exists(path: &Path) -> Failure {
    Failure::new(format!("{} already exists; add a key to it with: rollbook keys rotate", path.display()))
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
        RingDraft::of_new(path, ring)?.commit()
    }

    fn replace(path: &Path, ring: &KeyRing) -> Result<(), Failure> {
        let locked = LockedRing::read(path)?;
        let draft = locked.draft(ring)?;
        locked.replace(draft)
    }

    fn id(ring: &KeyRing) -> &str {
        ring.keys()[0].id()
    }

    /// REQ 11.
    #[test]
    fn changed_file_is_read_once_and_unchanged_only_if_forced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let (first, second) = (ring(), ring());
        create(&path, &first).map_err(|f| f.to_string()).unwrap();
        let (mut file, read) = KeyFile::open(&path).map_err(|f| f.to_string()).unwrap();
        assert_eq!(id(&read), id(&first));
        assert!(file.check(false).is_none());
        assert!(matches!(file.check(true), Some(Reading::Ring(read)) if id(&read) == id(&first)));
        replace(&path, &second).map_err(|f| f.to_string()).unwrap();
        assert!(matches!(file.check(false), Some(Reading::Ring(read)) if id(&read) == id(&second)));
        assert!(file.check(false).is_none());
        assert!(create(&path, &first).is_err(), "an existing ring is not overwritten");
    }

    /// REQ 11.
    #[test]
    fn concurrent_rotations_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let rotate = || {
            let locked = LockedRing::read(&path).map_err(|f| f.to_string()).unwrap();
            let (at, lifetime) = (datetime!(2026-11-23 12:00 UTC), time::Duration::HOUR);
            let announce = time::Duration::ZERO;
            let next = locked.ring().rotate(KeyAlgorithm::EdDsa, announce, lifetime, at, &SystemRandom).unwrap();
            let draft = locked.draft(&next).map_err(|f| f.to_string()).unwrap();
            locked.replace(draft).map_err(|f| f.to_string()).unwrap();
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(rotate);
            }
        });
        assert_eq!(read(&path).map_err(|f| f.to_string()).unwrap().keys().len(), 9);
    }

    /// REQ 11.
    #[test]
    fn concurrently_changed_ring_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let locked = LockedRing::read(&path).map_err(|f| f.to_string()).unwrap();
        let draft = locked.draft(&ring()).map_err(|f| f.to_string()).unwrap();
        // Bypasses the lock, as on a file system without locks.
        let concurrent = ring();
        RingDraft::of_replacement(&path, &concurrent).and_then(RingDraft::commit).map_err(|f| f.to_string()).unwrap();
        assert!(locked.replace(draft).is_err_and(|failure| failure.to_string().contains("changed by another process")));
        assert_eq!(id(&read(&path).map_err(|f| f.to_string()).unwrap()), id(&concurrent));
    }

    /// REQ 11.
    #[test]
    fn invalid_file_is_reported_and_read_again_once_valid() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let (mut file, _) = KeyFile::open(&path).map_err(|f| f.to_string()).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(file.check(false), Some(Reading::Invalid(message)) if message.contains("is invalid")));
        let reports = (1..=2 * KeyFile::REMINDER).filter(|_| file.check(false).is_some()).count();
        assert_eq!(reports, 2, "one report per reminder interval");
        assert!(matches!(file.check(true), Some(Reading::Invalid(_))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.check(false), Some(Reading::Invalid(message)) if message.contains("cannot read")));
        fs::write(&path, &whole).unwrap();
        assert!(matches!(file.check(false), Some(Reading::Ring(_))));
    }
}
