//! How a ring is made, and how it changes.

use domain::Random;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::algorithm::KeyAlgorithm;
use super::key::{KeyState, KeyTimes, RingKey};
use super::material::{Material, MaterialError};
use super::{KeyRing, KeyRingError, goes_on};

/// The ring may not be changed like this.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyChangeError {
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    #[error(transparent)]
    Material(#[from] MaterialError),
    #[error("the key {0} is announced already: wait until it signs, or retire it with --revoke")]
    Announced(String),
    #[error("the ring has no key {0}; rollbook keys list shows what it has")]
    Unknown(String),
    #[error("the key {0} is the one that signs on: rotate first, with --announce 0s where it is known to others")]
    Needed(String),
    #[error("the tokens of the key {0} are still good: wait until its time is over, or add --revoke to refuse them")]
    InUse(String),
}

impl KeyRing {
    /// For how long a key verifies beyond the life of the last token it signed: the largest leeway, and as much
    /// again for a node whose clock is behind and which signs with it a little longer.
    pub const MARGIN: Duration = Duration::seconds(120);

    /// A ring of one new key that signs from `now` on.
    ///
    /// # Errors
    /// [`KeyChangeError::Material`]
    pub fn generate(algorithm: KeyAlgorithm, now: OffsetDateTime, random: &dyn Random) -> Result<Self, KeyChangeError> {
        Ok(Self::new(vec![new_key(algorithm, now, now, random)?])?)
    }

    /// Adds a new key, which signs when `announce` is over: time for every node to read it. What signed till then
    /// verifies on until its last token, good for `token_lifetime`, has expired.
    ///
    /// # Errors
    /// [`KeyChangeError::Announced`] where a key waits for its time already.
    pub fn rotate(
        &self,
        algorithm: KeyAlgorithm,
        announce: Duration,
        token_lifetime: Duration,
        now: OffsetDateTime,
        random: &dyn Random,
    ) -> Result<Self, KeyChangeError> {
        if let Some(waiting) = self.keys.iter().find(|key| self.state_at(key, now) == KeyState::Announced) {
            return Err(KeyChangeError::Announced(waiting.id.clone()));
        }
        let fresh = new_key(algorithm, now, whole_second(now + announce), random)?;
        let end = fresh.times.signs_from + token_lifetime + Self::MARGIN;
        let mut keys = self.keys.clone();
        for key in keys.iter_mut().filter(|key| goes_on(key)) {
            key.times.verifies_until = Some(end);
        }
        keys.push(fresh);
        Ok(Self::new(keys)?)
    }

    /// Refuses the tokens of a key from now on. Where it was announced, the one before goes on.
    ///
    /// # Errors
    /// [`KeyChangeError::Unknown`]; [`KeyChangeError::Needed`] where no other key would sign on.
    pub fn revoke(&self, id: &str, now: OffsetDateTime) -> Result<Self, KeyChangeError> {
        let found = self.find(id).ok_or_else(|| KeyChangeError::Unknown(id.to_owned()))?;
        let announced = self.state_at(found, now) == KeyState::Announced;
        let mut keys = self.keys.clone();
        if let Some(key) = keys.iter_mut().find(|key| key.id == id) {
            key.times.revoked_at.get_or_insert(whole_second(now));
        }
        if announced
            && !keys.iter().any(goes_on)
            && let Some(signing) = self.signing_at(now)
            && let Some(before) = keys.iter_mut().find(|key| key.id == signing.id)
        {
            before.times.verifies_until = None;
        }
        Self::new(keys).map_err(|error| match error {
            KeyRingError::NobodySigns => KeyChangeError::Needed(id.to_owned()),
            other => other.into(),
        })
    }

    /// Takes a key out whose tokens are no good any more.
    ///
    /// # Errors
    /// [`KeyChangeError::Unknown`]; [`KeyChangeError::InUse`] where it neither is revoked nor has come to its end.
    pub fn remove(&self, id: &str, now: OffsetDateTime) -> Result<Self, KeyChangeError> {
        let found = self.find(id).ok_or_else(|| KeyChangeError::Unknown(id.to_owned()))?;
        if found.verifying_at(now).is_ok() {
            return Err(KeyChangeError::InUse(id.to_owned()));
        }
        Ok(Self::new(self.keys.iter().filter(|key| key.id != id).cloned().collect())?)
    }
}

/// One id in 64 begins with a hyphen.
const TRIES: usize = 20;

fn new_key(
    algorithm: KeyAlgorithm,
    now: OffsetDateTime,
    signs_from: OffsetDateTime,
    random: &dyn Random,
) -> Result<RingKey, MaterialError> {
    let times = KeyTimes {
        created_at: whole_second(now),
        signs_from: whole_second(signs_from),
        verifies_until: None,
        revoked_at: None,
    };
    // An id that begins as an option does could not be named on a command line.
    for _ in 0..TRIES {
        let key = RingKey::new(None, Material::generate(algorithm, random)?, times)?;
        if !key.id.starts_with('-') {
            return Ok(key);
        }
    }
    Err(MaterialError::NotMade)
}

/// Files are read by people.
fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}
