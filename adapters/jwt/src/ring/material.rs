//! Key material: the secret or private key, and values derived from it.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Random;
use domain::token::PublicPoint;
use jsonwebtoken::EncodingKey;
use secrecy::{ExposeSecret, SecretSlice};
use thiserror::Error;

use super::algorithm::KeyAlgorithm;
use crate::verifying_key::{self, VerifyingKey};
use crate::{SigningKey, SigningKeyError};

/// Secret for HS256, or private key in PKCS#8 (RFC 5958). Never printed.
#[derive(Clone)]
pub(crate) enum Material {
    Secret(SigningKey),
    Ed25519 { pkcs8: SecretSlice<u8>, x: [u8; 32] },
    P256 { pkcs8: SecretSlice<u8>, x: [u8; 32], y: [u8; 32] },
}

/// Reason why key material is invalid. The message never contains the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MaterialError {
    #[error(transparent)]
    Secret(#[from] SigningKeyError),
    #[error("its private key is not an Ed25519 key in PKCS#8")]
    Ed25519,
    #[error("its private key is not a P-256 key in PKCS#8")]
    P256,
    #[error("it cannot sign")]
    Unable,
    #[error("key generation failed")]
    NotGenerated,
}

impl Material {
    /// Generates a key. For asymmetric keys, the cryptographic library uses its own random source instead of `random`.
    ///
    /// # Errors
    /// [`MaterialError::NotGenerated`]
    pub(crate) fn generate(algorithm: KeyAlgorithm, random: &dyn Random) -> Result<Self, MaterialError> {
        match algorithm {
            KeyAlgorithm::Hs256 => {
                SigningKey::generate(random).map(Self::Secret).map_err(|_| MaterialError::NotGenerated)
            }
            KeyAlgorithm::EdDsa => {
                let pkcs8 = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1());
                Self::ed25519(pkcs8.map_err(|_| MaterialError::NotGenerated)?.as_ref())
            }
            KeyAlgorithm::Es256 => {
                let pkcs8 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).and_then(|pair| pair.to_pkcs8v1());
                Self::p256(pkcs8.map_err(|_| MaterialError::NotGenerated)?.as_ref())
            }
        }
    }

    /// # Errors
    /// [`MaterialError::Ed25519`]
    pub(crate) fn ed25519(pkcs8: &[u8]) -> Result<Self, MaterialError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| MaterialError::Ed25519)?;
        let x = pair.public_key().as_ref().try_into().map_err(|_| MaterialError::Ed25519)?;
        Ok(Self::Ed25519 { pkcs8: pkcs8.to_vec().into(), x })
    }

    /// # Errors
    /// [`MaterialError::P256`]
    pub(crate) fn p256(pkcs8: &[u8]) -> Result<Self, MaterialError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| MaterialError::P256)?;
        // Uncompressed point (SEC 1, section 2.3.3): 4, x, y.
        let [0x04, point @ ..] = pair.public_key().as_ref() else { return Err(MaterialError::P256) };
        let (x, y) = point.split_at_checked(32).ok_or(MaterialError::P256)?;
        let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else { return Err(MaterialError::P256) };
        Ok(Self::P256 { pkcs8: pkcs8.to_vec().into(), x, y })
    }

    pub(crate) const fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Secret(_) => KeyAlgorithm::Hs256,
            Self::Ed25519 { .. } => KeyAlgorithm::EdDsa,
            Self::P256 { .. } => KeyAlgorithm::Es256,
        }
    }

    /// The secret or the PKCS#8 bytes. Only for the key file.
    pub(crate) fn expose(&self) -> &[u8] {
        match self {
            Self::Secret(secret) => secret.expose(),
            Self::Ed25519 { pkcs8, .. } | Self::P256 { pkcs8, .. } => pkcs8.expose_secret(),
        }
    }

    pub(crate) fn encoding_key(&self) -> EncodingKey {
        match self {
            Self::Secret(secret) => EncodingKey::from_secret(secret.expose()),
            Self::Ed25519 { pkcs8, .. } => EncodingKey::from_ed_der(pkcs8.expose_secret()),
            Self::P256 { pkcs8, .. } => EncodingKey::from_ec_der(pkcs8.expose_secret()),
        }
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Secret(secret) => VerifyingKey::hs256(secret.expose()),
            Self::Ed25519 { x, .. } => VerifyingKey::eddsa(x),
            Self::P256 { x, y, .. } => VerifyingKey::es256(x, y),
        }
    }

    /// The public key; `None` for a secret.
    pub(crate) const fn public_point(&self) -> Option<PublicPoint> {
        match self {
            Self::Secret(_) => None,
            Self::Ed25519 { x, .. } => Some(PublicPoint::Ed25519 { x: *x }),
            Self::P256 { x, y, .. } => Some(PublicPoint::P256 { x: *x, y: *y }),
        }
    }

    /// The `kid`, derived from the key: the thumbprint of a public key (RFC 7638), or a truncated HMAC for a secret.
    ///
    /// # Errors
    /// [`MaterialError::Unable`]
    pub(crate) fn id(&self) -> Result<String, MaterialError> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let members = match self {
            Self::Secret(_) => {
                return verifying_key::key_id(&self.encoding_key()).map_err(|_| MaterialError::Unable);
            }
            Self::Ed25519 { x, .. } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Self::P256 { x, y, .. } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
        };
        Ok(text(digest::digest(&digest::SHA256, members.as_bytes()).as_ref()))
    }
}
