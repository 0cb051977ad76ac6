//! Signature algorithms of tokens (RFC 7518, section 3.1; RFC 8037, section 3.1).

use std::fmt;
use std::str::FromStr;

use jsonwebtoken::Algorithm;
use thiserror::Error;

/// Signature algorithm. Each key has exactly one (RFC 8725, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyAlgorithm {
    /// HMAC with SHA-256. Symmetric: the verification key can also sign.
    #[default]
    Hs256,
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// Unsupported algorithm name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be HS256, EdDSA or ES256")]
pub struct KeyAlgorithmError;

impl KeyAlgorithm {
    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    pub(crate) const fn of_header(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = KeyAlgorithmError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = [Self::Hs256, Self::EdDsa, Self::Es256];
        known.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or(KeyAlgorithmError)
    }
}
