//! Refresh token and username ports: SHA-256 digests, and HMAC-SHA256 under keys shared by all nodes.

use aws_lc_rs::{digest, hmac};
use domain::session::{RefreshToken, RefreshTokenDigest, RefreshTokens};
use domain::user::{UsernameDigest, UsernameDigests};

/// Separates the key for usernames from the one for refresh tokens.
const USERNAMES: &[u8] = b"usernames";

/// Hashes refresh tokens and usernames, and derives successors of refresh tokens.
pub struct KeyedHashes {
    successors: hmac::Key,
    usernames: hmac::Key,
}

impl KeyedHashes {
    /// `key` is the result of [`SessionStore::derivation_key`](domain::session::SessionStore::derivation_key).
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let successors = hmac::Key::new(hmac::HMAC_SHA256, key);
        let usernames = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&successors, USERNAMES).as_ref());
        Self { successors, usernames }
    }
}

impl RefreshTokens for KeyedHashes {
    fn digest(&self, token: &RefreshToken) -> RefreshTokenDigest {
        RefreshTokenDigest::new(array(digest::digest(&digest::SHA256, token.bits()).as_ref()))
    }

    fn successor(&self, token: &RefreshToken) -> RefreshToken {
        RefreshToken::new(array(hmac::sign(&self.successors, token.bits()).as_ref()))
    }
}

impl UsernameDigests for KeyedHashes {
    fn digest(&self, folded: &str) -> UsernameDigest {
        UsernameDigest::new(array(hmac::sign(&self.usernames, folded.as_bytes()).as_ref()))
    }
}

/// Both algorithms return 32 bytes.
fn array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 12.
    #[test]
    fn refresh_token_successor_depends_on_key() {
        let token = RefreshToken::new([7; 32]);
        let successor = |key: [u8; 32]| KeyedHashes::new(&key).successor(&token);
        let (one, same, other) = (successor([1; 32]), successor([1; 32]), successor([2; 32]));
        assert_eq!(one.bits(), same.bits());
        assert_ne!(one.bits(), other.bits());
    }

    /// REQ 16.
    #[test]
    fn username_digest_depends_on_key_and_name() {
        let digest = |key: [u8; 32], name| UsernameDigests::digest(&KeyedHashes::new(&key), name);
        assert_eq!(digest([1; 32], "asha"), digest([1; 32], "asha"));
        assert_ne!(digest([1; 32], "asha"), digest([1; 32], "ravi"));
        assert_ne!(digest([1; 32], "asha"), digest([2; 32], "asha"));
        // A username of 32 bytes reveals no successor of a refresh token.
        let name = "a".repeat(32);
        let hashes = KeyedHashes::new(&[1; 32]);
        let token = RefreshToken::new(array(name.as_bytes()));
        assert_ne!(UsernameDigests::digest(&hashes, &name).as_bytes(), hashes.successor(&token).bits());
    }
}
