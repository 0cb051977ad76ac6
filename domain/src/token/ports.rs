//! What the domain needs of whoever signs tokens.

use thiserror::Error;
use time::OffsetDateTime;

use super::{Claims, SignedToken};

/// Signs claims, and tells whether a token is one of ours.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Tokens: Send + Sync {
    /// # Errors
    /// [`SignError`] when the key cannot sign.
    fn sign(&self, claims: &Claims) -> Result<SignedToken, SignError>;

    /// The claims of a token that is good at `now`.
    ///
    /// MUST refuse whatever this service has not signed as an access token, for itself, and what has expired
    /// or is not valid yet; the error says which.
    ///
    /// # Errors
    /// [`TokenError`]
    fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Claims, TokenError>;
}

/// A token could not be signed.
#[derive(Debug, Error)]
#[error("the token could not be signed: {0}")]
pub struct SignError(pub String);

/// Why a token is refused. For the log: a client learns only that it is.
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
    #[error("the token names no key of ours")]
    UnknownKey,
    #[error("the token's key is revoked")]
    KeyRevoked,
    #[error("the token's key verifies no longer")]
    KeyExpired,
    #[error("the token's signature is not ours")]
    Signature,
    #[error("the token lacks a claim, or one is of the wrong kind")]
    Claims,
    #[error("the token was issued by somebody else")]
    Issuer,
    #[error("the token is meant for somebody else")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
}
