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
    /// What was wrong with it the last time, and how often that was not told.
    complaint: Option<(String, u32)>,
}

/// What a reading of the file has brought.
pub enum Reading {
    /// Another ring, or the same one where it was asked for.
    Ring(KeyRing),
    /// No ring, and why; told again each [`KeyFile::REMINDER`] as long as nothing changes.
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
    /// A fault that lasts is told again after so many looks: a server that has not heard of a revocation must not be
    /// silent about it.
    pub const REMINDER: u32 = 30;

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
                let kept_quiet = match self.complaint.take() {
                    Some((before, kept_quiet)) if before == complaint => Some(kept_quiet),
                    _ => None,
                };
                let is_due = kept_quiet.is_none_or(|kept_quiet| kept_quiet + 1 >= Self::REMINDER);
                let tell = asked || is_due;
                self.complaint = Some((complaint.clone(), if tell { 0 } else { kept_quiet.unwrap_or_default() + 1 }));
                tell.then_some(Reading::Bad(complaint))
            }
        }
    }
}

/// The ring in a file.
pub fn read(path: &Path) -> Result<KeyRing, Failure> {
    read_with_text(path).map(|(_, ring)| ring)
}

fn read_with_text(path: &Path) -> Result<(Vec<u8>, KeyRing), Failure> {
    let cannot = |error: io::Error| Failure::new(format!("cannot read the key ring in {}: {error}", path.display()));
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text)).map_err(cannot)?;
    let ring = KeyRing::parse(&text)
        .map_err(|error| Failure::new(format!("the key ring in {} will not do: {error}", path.display())))?;
    Ok((text, ring))
}

/// The ring in a file, which nobody else changes as long as this lives.
pub struct LockedRing {
    path: PathBuf,
    text: Vec<u8>,
    ring: KeyRing,
    /// The folder, whose lock goes with it.
    _folder: File,
}

impl LockedRing {
    /// Waits for whoever changes the ring now, then reads it. Where the file system knows no such locks,
    /// [`LockedRing::replace`] finds out all the same.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let cannot =
            |error: io::Error| Failure::new(format!("cannot read the key ring in {}: {error}", path.display()));
        let path = path.canonicalize().map_err(cannot)?;
        // The ring's own file is another one after each change; its folder is not.
        let folder = File::open(path.parent().unwrap_or(Path::new("/"))).map_err(cannot)?;
        let _ = folder.lock();
        let (text, ring) = read_with_text(&path)?;
        Ok(Self { path, text, ring, _folder: folder })
    }

    /// The ring that is there.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// A ring that is to take its place.
    pub fn draft(&self, ring: &KeyRing) -> Result<RingDraft, Failure> {
        RingDraft::of_replacement(&self.path, ring)
    }

    /// Puts the draft in its place, unless somebody was quicker.
    pub fn replace(self, draft: RingDraft) -> Result<(), Failure> {
        if read_with_text(&self.path)?.0 != self.text {
            return Err(Failure::new(format!(
                "the key ring in {} was changed meanwhile, and stays as it is: try again",
                self.path.display()
            )));
        }
        draft.keep()
    }
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
    fn of_replacement(path: &Path, ring: &KeyRing) -> Result<Self, Failure> {
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
        let locked = LockedRing::read(path)?;
        let draft = locked.draft(ring)?;
        locked.replace(draft)
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
    fn req_11_changes_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let rotate = || {
            let locked = LockedRing::read(&path).map_err(|f| f.to_string()).unwrap();
            let (at, lifetime) = (datetime!(2026-11-23 12:00 UTC), time::Duration::HOUR);
            let at_once = time::Duration::ZERO;
            let next = locked.ring().rotate(KeyAlgorithm::EdDsa, at_once, lifetime, at, &SystemRandom).unwrap();
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

    #[test]
    fn req_11_a_ring_that_was_changed_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        create(&path, &ring()).map_err(|f| f.to_string()).unwrap();
        let locked = LockedRing::read(&path).map_err(|f| f.to_string()).unwrap();
        let draft = locked.draft(&ring()).map_err(|f| f.to_string()).unwrap();
        // As on a file system that knows no locks.
        let quicker = ring();
        RingDraft::of_replacement(&path, &quicker).and_then(RingDraft::keep).map_err(|f| f.to_string()).unwrap();
        assert!(locked.replace(draft).is_err_and(|failure| failure.to_string().contains("changed meanwhile")));
        assert_eq!(id(&read(&path).map_err(|f| f.to_string()).unwrap()), id(&quicker));
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
        let told = (1..=2 * KeyFile::REMINDER).filter(|_| file.look(false).is_some()).count();
        assert_eq!(told, 2, "and again after a while");
        assert!(matches!(file.look(true), Some(Reading::Bad(_))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Bad(why)) if why.contains("cannot read")));
        fs::write(&path, &whole).unwrap();
        assert!(matches!(file.look(false), Some(Reading::Ring(_))));
    }
}
