//! Implementation of the token port.

use std::sync::{Arc, PoisonError, RwLock};

use domain::token::{Claims, KeySet, PublicKey, SignError, SignedToken, TokenError, Tokens};
use time::OffsetDateTime;

use crate::claims::{ReadClaims, SignedClaims};
use crate::compact::{self, Compact};
use crate::header::Header;
use crate::{KeyRing, RingKey, SigningKey, TokenPolicy};

/// Signs access tokens (RFC 9068) with the current key of a ring and verifies tokens with all of its keys.
pub struct JwtTokens {
    policy: TokenPolicy,
    /// The lock is held only to clone or replace the `Arc`.
    ring: RwLock<Arc<KeyRing>>,
}

impl JwtTokens {
    /// Signs with HS256. The `kid` is derived from the key, so it is the same on all nodes.
    ///
    /// # Errors
    /// [`SignError`] if the `kid` cannot be derived.
    pub fn new(key: &SigningKey, policy: TokenPolicy) -> Result<Self, SignError> {
        Ok(Self::with_ring(KeyRing::of_secret(key)?, policy))
    }

    /// Signs and verifies with the keys of a ring.
    pub fn with_ring(ring: KeyRing, policy: TokenPolicy) -> Self {
        Self { policy, ring: RwLock::new(Arc::new(ring)) }
    }

    /// Replaces the ring.
    pub fn replace_ring(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tokens for JwtTokens {
    fn sign(&self, claims: &Claims) -> Result<SignedToken, SignError> {
        let ring = self.ring();
        let key = ring.signing_at(claims.issued_at).ok_or_else(|| SignError("no signing key".to_owned()))?;
        key.sign(&SignedClaims::new(claims, &self.policy))
    }

    fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Claims, TokenError> {
        let token = Compact::split(token)?;
        let header = Header::parse(&compact::object_text(token.header)?)?;
        let ring = self.ring();
        let key = header.key_id.and_then(|id| ring.find(&id)).ok_or(TokenError::UnknownKey)?;
        key.verifying_at(now)?.verify(header.algorithm, token.signing_input, token.signature)?;
        ReadClaims::parse(&compact::object_text(token.payload)?)?.validate(&self.policy, now)
    }
}

impl KeySet for JwtTokens {
    fn public_keys(&self, now: OffsetDateTime) -> Vec<PublicKey> {
        let ring = self.ring();
        ring.keys().iter().filter(|key| key.verifying_at(now).is_ok()).filter_map(RingKey::public).collect()
    }
}
