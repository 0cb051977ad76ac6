//! Generation and changes of a key ring.

use domain::Random;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::algorithm::KeyAlgorithm;
use super::key::{KeyState, KeyTimes, RingKey};
use super::material::{Material, MaterialError};
use super::{KeyRing, KeyRingError, has_no_end};

/// Reason why a change of the ring is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyChangeError {
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    #[error(transparent)]
    Material(#[from] MaterialError),
    #[error(
        "the key {announced} is already announced: wait until it signs; if the signing key {signing} is compromised, rotate with \
         --announce 0s, and then retire {signing} with --revoke"
    )]
    Announced { announced: String, signing: String },
    #[error("the ring has no key {0}: `rollbook keys list` lists its keys")]
    Unknown(String),
    #[error("the key {0} is the only signing key: rotate first, with --announce 0s if it is compromised")]
    LastSigningKey(String),
    #[error("the tokens of the key {0} are still valid: wait until the key expires, or add --revoke to reject them")]
    InUse(String),
}

impl KeyRing {
    /// Time for which a key verifies beyond the expiry of its last token: twice the maximum leeway, because a node with a
    /// slow clock signs with the key for longer.
    pub const MARGIN: Duration = Duration::seconds(120);

    /// Generates a ring with one new key that signs from `now`.
    ///
    /// # Errors
    /// [`KeyChangeError::Material`]
    pub fn generate(algorithm: KeyAlgorithm, now: OffsetDateTime, random: &dyn Random) -> Result<Self, KeyChangeError> {
        Ok(Self::new(vec![new_key(algorithm, now, now, random)?])?)
    }

    /// Adds a new key that signs after `announce`, the time for all nodes to load it. The previous key verifies until its
    /// last token has expired, after `token_lifetime` and [`KeyRing::MARGIN`].
    ///
    /// If a key is already announced and `announce` is zero, as when the signing key is compromised, the announced key is revoked:
    /// it has signed no token, and may be compromised too.
    ///
    /// # Errors
    /// [`KeyChangeError::Announced`] if another key is already announced, and `announce` is not zero.
    pub fn rotate(
        &self,
        algorithm: KeyAlgorithm,
        announce: Duration,
        token_lifetime: Duration,
        now: OffsetDateTime,
        random: &dyn Random,
    ) -> Result<Self, KeyChangeError> {
        let fresh = new_key(algorithm, now, whole_second(now + announce), random)?;
        let end = fresh.times.signs_from + token_lifetime + Self::MARGIN;
        let mut keys = self.keys_at(now);
        if let Some(announced) = self.announced_at(now) {
            let signing = self.signing_at(now).map(|key| key.id.clone()).unwrap_or_default();
            if !announce.is_zero() {
                return Err(KeyChangeError::Announced { announced: announced.id.clone(), signing });
            }
            for key in &mut keys {
                if key.id == announced.id {
                    key.times.revoked_at = Some(whole_second(now));
                } else if key.id == signing {
                    // Its end depended on the start of the announced key.
                    key.times.verifies_until = None;
                }
            }
        }
        for key in keys.iter_mut().filter(|key| has_no_end(key)) {
            key.times.verifies_until = Some(end);
        }
        keys.push(fresh);
        Ok(Self::new(keys)?)
    }

    /// The keys, of which the one that signs at `now` has started. In a ring in which release 1.0 revoked the key before it, its
    /// start can be later; after a rotation it would then sign again.
    fn keys_at(&self, now: OffsetDateTime) -> Vec<RingKey> {
        let mut keys = self.keys.clone();
        let signing = self.signing_at(now).map(RingKey::id);
        for key in keys.iter_mut().filter(|key| Some(key.id()) == signing) {
            key.times.signs_from = key.times.signs_from.min(whole_second(now));
        }
        keys
    }

    /// The key that is announced at `now`. There is at most one.
    pub fn announced_at(&self, now: OffsetDateTime) -> Option<&RingKey> {
        self.keys.iter().find(|key| self.state_at(key, now) == KeyState::Announced)
    }

    /// Revokes a key. If it was announced, the current key keeps signing. If it was signing, the announced key signs from `now`.
    ///
    /// # Errors
    /// [`KeyChangeError::Unknown`]; [`KeyChangeError::LastSigningKey`] if no signing key would be left.
    pub fn revoke(&self, id: &str, now: OffsetDateTime) -> Result<Self, KeyChangeError> {
        let found = self.find(id).ok_or_else(|| KeyChangeError::Unknown(id.to_owned()))?;
        let announced = self.state_at(found, now) == KeyState::Announced;
        // An older key, which is still valid, must not sign again.
        let is_signing = self.state_at(found, now) == KeyState::Signing;
        let successor = self.announced_at(now).filter(|_| is_signing).map(|key| key.id.clone());
        let mut keys = self.keys_at(now);
        if let Some(key) = keys.iter_mut().find(|key| key.id == id) {
            key.times.revoked_at.get_or_insert(whole_second(now));
        }
        if announced
            && !keys.iter().any(has_no_end)
            && let Some(signing) = self.signing_at(now)
            && let Some(before) = keys.iter_mut().find(|key| key.id == signing.id)
        {
            before.times.verifies_until = None;
        }
        if let Some(key) = keys.iter_mut().find(|key| Some(&key.id) == successor.as_ref()) {
            key.times.signs_from = whole_second(now);
        }
        Self::new(keys).map_err(|error| match error {
            KeyRingError::NoSigningKey => KeyChangeError::LastSigningKey(id.to_owned()),
            other => other.into(),
        })
    }

    /// Removes a revoked or expired key.
    ///
    /// # Errors
    /// [`KeyChangeError::Unknown`]; [`KeyChangeError::InUse`] if the key is neither revoked nor expired.
    pub fn remove(&self, id: &str, now: OffsetDateTime) -> Result<Self, KeyChangeError> {
        let found = self.find(id).ok_or_else(|| KeyChangeError::Unknown(id.to_owned()))?;
        if found.verifying_at(now).is_ok() {
            return Err(KeyChangeError::InUse(id.to_owned()));
        }
        Ok(Self::new(self.keys.iter().filter(|key| key.id != id).cloned().collect())?)
    }
}

/// Maximum number of keys generated for an id without a leading hyphen; one id in 64 has one.
const MAX_TRIES: usize = 20;

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
    // On a command line, an id with a leading hyphen would be parsed as an option.
    for _ in 0..MAX_TRIES {
        let key = RingKey::new(None, Material::generate(algorithm, random)?, times)?;
        if !key.id.starts_with('-') {
            return Ok(key);
        }
    }
    Err(MaterialError::NotGenerated)
}

/// Truncates to whole seconds, for readable files.
fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}
