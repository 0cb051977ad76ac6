//! The public keys by which others verify our tokens.

use time::OffsetDateTime;

/// A public key, and the name that tokens call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub id: String,
    pub point: PublicPoint,
}

/// What a public key is made of; its curve settles its one algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicPoint {
    /// Of EdDSA (RFC 8037, section 2).
    Ed25519 { x: [u8; 32] },
    /// Of ES256 (RFC 7518, section 6.2.1).
    P256 { x: [u8; 32], y: [u8; 32] },
}

/// Port to the public keys.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait KeySet: Send + Sync {
    /// The public halves of the keys that verify at `now`, each under an id of its own.
    ///
    /// MUST leave out what is revoked or verifies no longer, and every symmetric key.
    fn public_keys(&self, now: OffsetDateTime) -> Vec<PublicKey>;
}
