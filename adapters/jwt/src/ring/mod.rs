//! The key ring: one signing key and any number of keys that only verify (RFC 7517; RFC 8725).

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

/// Keys with unique ids, one of which signs at any time.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<RingKey>,
}

/// Reason why a key ring is invalid. The message never contains a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyRingError {
    #[error("invalid JSON of a key ring (line {line}, column {column})")]
    Form { line: usize, column: usize },
    #[error("the key ring has version {0}, but this release supports only version 1")]
    Version(u32),
    #[error("the key ring has more than {} keys", KeyRing::MAX_KEYS)]
    TooMany,
    #[error("the kid {0:?} is not 1 to {max} letters, digits, - and _", max = KeyRing::MAX_ID_CHARS)]
    Id(String),
    #[error("the kid {0} is duplicated")]
    DuplicateId(String),
    #[error("the alg of the key {0} must be HS256, EdDSA or ES256")]
    Algorithm(String),
    #[error("the key {0} must have a secret for HS256, or a private_key for other algorithms, and not both")]
    InvalidMember(String),
    #[error("the key {id} is invalid: {reason}")]
    Key { id: String, reason: MaterialError },
    #[error("verifies_until of the key {0} is before its signs_from")]
    Times(String),
    #[error("the key ring has no key that can sign indefinitely: each is revoked or has verifies_until")]
    NoSigningKey,
    #[error("the key ring has a time or a secret that cannot be serialized as text")]
    Unwritable,
}

impl KeyRing {
    /// Maximum number of keys, far above the requirement of a rotation.
    pub const MAX_KEYS: usize = 100;
    /// Maximum number of characters of an id.
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
                return Err(KeyRingError::DuplicateId(key.id.clone()));
            }
            if key.times.verifies_until.is_some_and(|until| until < key.times.signs_from) {
                return Err(KeyRingError::Times(key.id.clone()));
            }
        }
        if !keys.iter().any(has_no_end) {
            return Err(KeyRingError::NoSigningKey);
        }
        Ok(Self { keys })
    }

    /// A ring with one HS256 key, which signs at any time.
    pub(crate) fn of_secret(key: &SigningKey) -> Result<Self, SignError> {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        let times = KeyTimes { created_at: epoch, signs_from: epoch, verifies_until: None, revoked_at: None };
        let key = RingKey::new(None, Material::Secret(key.clone()), times).map_err(|e| SignError(e.to_string()))?;
        Ok(Self { keys: vec![key] })
    }

    /// The keys in order of creation.
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// The key with this `kid`, in any state.
    pub(crate) fn find(&self, id: &str) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that signs at `now`: the key with the latest `signs_from` that has passed. If none has passed, as on a node
    /// with a slow clock, the key with the earliest `signs_from`.
    pub fn signing_at(&self, now: OffsetDateTime) -> Option<&RingKey> {
        let valid = || self.keys.iter().filter(|key| key.verifying_at(now).is_ok());
        let started = valid().filter(|key| key.times.signs_from <= now).max_by_key(|key| key.times.signs_from);
        started.or_else(|| valid().min_by_key(|key| key.times.signs_from))
    }

    /// The state of a key of this ring at `now`.
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

/// Returns `true` if a key is not revoked and verifies indefinitely.
fn has_no_end(key: &RingKey) -> bool {
    key.times.revoked_at.is_none() && key.times.verifies_until.is_none()
}
