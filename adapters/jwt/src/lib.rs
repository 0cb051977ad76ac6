//! Token port on JSON Web Tokens (RFC 7519), signed with HS256, EdDSA or ES256 in compact serialization
//! (RFC 7515, section 7.1).
//!
//! Claims are parsed only after the signature is verified. The header only selects a key from a fixed set. Callers pass
//! the current time; the system clock is never read.

mod claims;
mod compact;
mod header;
mod inspection;
mod key;
mod keyed_hashes;
mod policy;
mod ring;
mod tokens;
mod verifying_key;

#[cfg(test)]
mod tests;

pub use inspection::{KeySetError, PublishedKeys, Unverified, VerificationKeys, read_unverified};
pub use key::{SigningKey, SigningKeyError};
pub use keyed_hashes::KeyedHashes;
pub use policy::{TokenPolicy, TokenPolicyError};
pub use ring::{
    KeyAlgorithm, KeyAlgorithmError, KeyChangeError, KeyRing, KeyRingError, KeyState, KeyTimes, MaterialError, RingKey,
};
pub use tokens::JwtTokens;
