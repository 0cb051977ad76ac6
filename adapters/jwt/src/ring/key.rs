//! A key of a ring, its validity times and states.

use std::fmt;

use domain::token::{PublicKey, SignError, SignedToken, TokenError};
use jsonwebtoken::{EncodingKey, Header as SignedHeader};
use serde::Serialize;
use time::OffsetDateTime;

use super::algorithm::KeyAlgorithm;
use super::material::{Material, MaterialError};
use crate::header;
use crate::verifying_key::VerifyingKey;

/// Times that determine the state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    pub created_at: OffsetDateTime,
    /// Start of signing, which ends when a later key starts.
    pub signs_from: OffsetDateTime,
    /// End of verification; `None` while there is no later key.
    pub verifies_until: Option<OffsetDateTime>,
    /// Tokens of a revoked key are rejected at any time.
    pub revoked_at: Option<OffsetDateTime>,
}

/// State of a key at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Verifies, and will sign later.
    Announced,
    /// Signs and verifies.
    Signing,
    /// Verifies, but no longer signs.
    Verifying,
    /// All of its tokens have expired.
    Expired,
    /// Its tokens are rejected.
    Revoked,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Announced => "announced",
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

/// A key with its id and times.
#[derive(Clone)]
pub struct RingKey {
    pub(super) id: String,
    pub(super) times: KeyTimes,
    pub(super) material: Material,
    verifying: VerifyingKey,
    encoding: EncodingKey,
    header: SignedHeader,
}

impl RingKey {
    /// A key with the given id, or with one derived from the key.
    ///
    /// # Errors
    /// [`MaterialError::Unable`] if no id can be derived.
    pub(super) fn new(id: Option<String>, material: Material, times: KeyTimes) -> Result<Self, MaterialError> {
        let id = id.map_or_else(|| material.id(), Ok)?;
        let mut header = SignedHeader::new(material.algorithm().of_header());
        header.typ = Some(header::ACCESS_TOKEN.to_owned());
        header.kid = Some(id.clone());
        let (verifying, encoding) = (material.verifying_key(), material.encoding_key());
        Ok(Self { id, times, material, verifying, encoding, header })
    }

    /// The `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.material.algorithm()
    }

    pub const fn times(&self) -> KeyTimes {
        self.times
    }

    /// Returns the verification key at `now`.
    ///
    /// # Errors
    /// [`TokenError::KeyRevoked`], [`TokenError::KeyExpired`]
    pub(crate) fn verifying_at(&self, now: OffsetDateTime) -> Result<&VerifyingKey, TokenError> {
        if self.times.revoked_at.is_some() {
            return Err(TokenError::KeyRevoked);
        }
        if self.times.verifies_until.is_some_and(|until| until <= now) {
            return Err(TokenError::KeyExpired);
        }
        Ok(&self.verifying)
    }

    pub(crate) fn public(&self) -> Option<PublicKey> {
        Some(PublicKey { id: self.id.clone(), point: self.material.public_point()? })
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<SignedToken, SignError> {
        jsonwebtoken::encode(&self.header, claims, &self.encoding)
            .map(SignedToken::new)
            .map_err(|error| SignError(error.to_string()))
    }
}
