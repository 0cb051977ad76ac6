//! Token port: signs and verifies access tokens.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Claims, SignedToken};

/// Signs and verifies access tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Tokens: Send + Sync {
    /// # Errors
    /// [`SignError`] when the key cannot sign.
    fn sign(&self, claims: &Claims) -> Result<SignedToken, SignError>;

    /// Returns the claims of a token that is valid at `now`.
    ///
    /// MUST reject a token that is not an access token of this service for its own audience, that has expired, or that is
    /// not valid yet.
    ///
    /// # Errors
    /// [`TokenError`]
    fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Claims, TokenError>;
}

/// A token could not be signed.
#[derive(Debug, Error)]
#[error("the token could not be signed: {0}")]
pub struct SignError(pub String);

/// Reason why a token is rejected, for the log. Not disclosed to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    #[error("the token is longer than 8 KiB")]
    TooLong,
    #[error("the token is not three parts of base64url with a JSON header and JSON claims")]
    Malformed,
    #[error("the token's type is not at+jwt")]
    Type,
    #[error("the token's algorithm is not the key's")]
    Algorithm,
    #[error("the token has a critical header that is not understood")]
    Critical,
    #[error("the token names an unknown key")]
    UnknownKey,
    #[error("the token's key is revoked")]
    KeyRevoked,
    #[error("the token's key has expired")]
    KeyExpired,
    #[error("the token's key is not for signatures: its use is not sig")]
    KeyUse,
    #[error("the token's key does not verify signatures: its key_ops lack verify")]
    KeyOperations,
    #[error("the token's signature is invalid")]
    Signature,
    #[error("the token lacks a claim, or one is of the wrong kind")]
    Claims,
    #[error("the token has another issuer")]
    Issuer,
    #[error("the token has another audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl TokenError {
    /// Returns `true` if the reason is only the age of the token: clients regularly use tokens until they are rejected.
    #[must_use]
    pub const fn is_expiry(self) -> bool {
        matches!(self, Self::Expired | Self::KeyExpired)
    }
}
