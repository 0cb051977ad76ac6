//! The key ring: one key that signs, and any number that still verify, or do already (RFC 7517; RFC 8725).

mod algorithm;
mod changes;
mod file;
mod key;
mod material;

use std::collections::BTreeSet;

use domain::token::SignError;
use thiserror::Error;
use time::OffsetDateTime;

pub use algorithm::{KeyAlgorithm, KeyAlgorithmError};
pub use changes::KeyChangeError;
pub use key::{KeyState, KeyTimes, RingKey};
pub use material::MaterialError;

use crate::SigningKey;
use material::Material;

/// Keys with unique ids, of which one is to sign whatever the time is.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<RingKey>,
}

/// The text or the keys make no ring. Never quotes a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyRingError {
    #[error("it is not the JSON of a key ring (line {line}, column {column})")]
    Form { line: usize, column: usize },
    #[error("it is a key ring of version {0}, and this release knows version 1 alone")]
    Version(u32),
    #[error("the key ring is larger than {} keys", KeyRing::MAX_KEYS)]
    TooMany,
    #[error("the kid {0:?} is not 1 to {max} letters, digits, - and _", max = KeyRing::MAX_ID_CHARS)]
    Id(String),
    #[error("the kid {0} is there twice")]
    SameId(String),
    #[error("the key {0} has an alg that is none of HS256, EdDSA and ES256")]
    Algorithm(String),
    #[error("the key {0} must have a secret under HS256, else a private_key, and not both")]
    Member(String),
    #[error("the key {id} will not do: {reason}")]
    Key { id: String, reason: MaterialError },
    #[error("the key {0} verifies no longer before it signs")]
    Times(String),
    #[error("no key of the ring goes on signing: each is revoked or has an end")]
    NobodySigns,
    #[error("the key ring has a time or a secret that cannot be written as text")]
    Unwritable,
}

impl KeyRing {
    /// The most keys: far more than any rotation needs.
    pub const MAX_KEYS: usize = 100;
    /// The most characters of an id.
    pub const MAX_ID_CHARS: usize = 64;

    fn new(keys: Vec<RingKey>) -> Result<Self, KeyRingError> {
        if keys.len() > Self::MAX_KEYS {
            return Err(KeyRingError::TooMany);
        }
        let mut ids = BTreeSet::new();
        for key in &keys {
            let letters = key.id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if !letters || !(1..=Self::MAX_ID_CHARS).contains(&key.id.len()) {
                return Err(KeyRingError::Id(file::printable(&key.id)));
            }
            if !ids.insert(key.id()) {
                return Err(KeyRingError::SameId(key.id.clone()));
            }
            if key.times.verifies_until.is_some_and(|until| until < key.times.signs_from) {
                return Err(KeyRingError::Times(key.id.clone()));
            }
        }
        if !keys.iter().any(goes_on) {
            return Err(KeyRingError::NobodySigns);
        }
        Ok(Self { keys })
    }

    /// One key that signs with HS256, and always has.
    pub(crate) fn of_secret(key: &SigningKey) -> Result<Self, SignError> {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        let times = KeyTimes { created_at: epoch, signs_from: epoch, verifies_until: None, revoked_at: None };
        let key = RingKey::new(None, Material::Secret(key.clone()), times).map_err(|e| SignError(e.to_string()))?;
        Ok(Self { keys: vec![key] })
    }

    /// The keys, in the order in which they were made.
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// The key with this `kid`, whatever its state.
    pub(crate) fn find(&self, id: &str) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that signs at `now`: the last whose time has come. Where none's has, as on a node whose clock is
    /// behind that of the machine that made the ring, the first to come.
    pub fn signing_at(&self, now: OffsetDateTime) -> Option<&RingKey> {
        let able = || self.keys.iter().filter(|key| key.verifying_at(now).is_ok());
        let come = able().filter(|key| key.times.signs_from <= now).max_by_key(|key| key.times.signs_from);
        come.or_else(|| able().min_by_key(|key| key.times.signs_from))
    }

    /// What a key of this ring does at `now`.
    pub fn state_at(&self, key: &RingKey, now: OffsetDateTime) -> KeyState {
        if key.times.revoked_at.is_some() {
            KeyState::Revoked
        } else if key.times.verifies_until.is_some_and(|until| until <= now) {
            KeyState::Expired
        } else if self.signing_at(now).is_some_and(|signing| signing.id == key.id) {
            KeyState::Signing
        } else if now < key.times.signs_from {
            KeyState::Announced
        } else {
            KeyState::Verifying
        }
    }
}

/// Whether a key is good and has no end.
fn goes_on(key: &RingKey) -> bool {
    key.times.revoked_at.is_none() && key.times.verifies_until.is_none()
}
