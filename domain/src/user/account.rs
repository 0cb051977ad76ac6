//! What login attempts are counted for.

use crate::UserId;

/// The account that a username refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    User(UserId),
    /// There is no user with this username. Attempts are counted as for a user, so that they do not reveal it.
    Unknown(UsernameDigest),
}

/// Keyed hash of a folded username. Stores contain only the digest of an unknown username, because users may enter a password there
/// by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsernameDigest([u8; 32]);

impl UsernameDigest {
    #[must_use]
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
