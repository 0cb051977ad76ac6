//! Refresh token port: SHA-256 digests and successors derived with HMAC-SHA256.

use aws_lc_rs::{digest, hmac};
use domain::session::{RefreshToken, RefreshTokenDigest, RefreshTokens};

/// Hashes refresh tokens and derives their successors with a key shared by all nodes.
pub struct HmacRefreshTokens {
    key: hmac::Key,
}

impl HmacRefreshTokens {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }
}

impl RefreshTokens for HmacRefreshTokens {
    fn digest(&self, token: &RefreshToken) -> RefreshTokenDigest {
        RefreshTokenDigest::new(array(digest::digest(&digest::SHA256, token.bits()).as_ref()))
    }

    fn successor(&self, token: &RefreshToken) -> RefreshToken {
        RefreshToken::new(array(hmac::sign(&self.key, token.bits()).as_ref()))
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
        let successor = |key: [u8; 32]| HmacRefreshTokens::new(&key).successor(&token);
        let (one, same, other) = (successor([1; 32]), successor([1; 32]), successor([2; 32]));
        assert_eq!(one.bits(), same.bits());
        assert_ne!(one.bits(), other.bits());
    }
}
