//! Public key port, for other services that verify tokens.

use time::OffsetDateTime;

/// A public key and its key id (`kid`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub id: String,
    pub point: PublicPoint,
}

/// Curve and coordinates of a public key. The curve determines the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicPoint {
    /// Key of EdDSA (RFC 8037, section 2).
    Ed25519 { x: [u8; 32] },
    /// Key of ES256 (RFC 7518, section 6.2.1).
    P256 { x: [u8; 32], y: [u8; 32] },
}

/// Public key port.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait KeySet: Send + Sync {
    /// Returns the public keys that verify tokens at `now`, with unique ids.
    ///
    /// MUST exclude revoked keys, keys that no longer verify, and symmetric keys.
    fn public_keys(&self, now: OffsetDateTime) -> Vec<PublicKey>;
}
