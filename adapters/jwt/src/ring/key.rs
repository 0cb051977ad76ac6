//! One key of a ring, and what it may do when.

use std::fmt;

use domain::token::{PublicKey, SignError, SignedToken, TokenError};
use jsonwebtoken::{EncodingKey, Header as SignedHeader};
use serde::Serialize;
use time::OffsetDateTime;

use super::algorithm::KeyAlgorithm;
use super::material::{Material, MaterialError};
use crate::header;
use crate::verifying_key::VerifyingKey;

/// When a key may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    pub created_at: OffsetDateTime,
    /// It signs from then on, until a later key does.
    pub signs_from: OffsetDateTime,
    /// It verifies until then; `None` while no later key is there.
    pub verifies_until: Option<OffsetDateTime>,
    /// Its tokens are refused whatever the time is.
    pub revoked_at: Option<OffsetDateTime>,
}

/// What a key does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Verifies already, and will sign.
    Announced,
    /// Signs, and verifies.
    Signing,
    /// Verifies what it has signed.
    Verifying,
    /// Every token that it signed has expired.
    Expired,
    /// Its tokens are refused.
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

/// A key with its name and its times.
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
    /// The key by the name that its file gives it, or the one that derives from it.
    ///
    /// # Errors
    /// [`MaterialError::Unable`] where no name can be derived.
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

    /// What verifies the key's tokens at `now`.
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
