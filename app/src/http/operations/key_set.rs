//! `GET /.well-known/jwks.json`: the public keys that our tokens verify with (RFC 7517, section 5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::{PublicKey, PublicPoint};
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;

use super::{Tag, Use};
use crate::http::json_answer::JsonAnswer;

/// Shorter than any announcement of a new key should be: who caches the set knows the key before it signs.
const CACHE_CONTROL: &str = "public, max-age=60";

/// The kind of a key (RFC 7518, section 6.1; RFC 8037, section 2).
#[derive(Debug, Clone, Copy, Serialize, Enum)]
enum KeyType {
    /// A pair of a curve and one coordinate.
    #[serde(rename = "OKP")]
    #[oai(rename = "OKP")]
    Okp,
    /// A point on an elliptic curve.
    #[serde(rename = "EC")]
    #[oai(rename = "EC")]
    Ec,
}

/// The curve of a key.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
enum Curve {
    Ed25519,
    #[serde(rename = "P-256")]
    #[oai(rename = "P-256")]
    P256,
}

/// The algorithm of a key: the only one that its tokens may name.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
#[oai(rename = "KeyAlgorithm")]
enum Algorithm {
    #[serde(rename = "EdDSA")]
    #[oai(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "ES256")]
    #[oai(rename = "ES256")]
    Es256,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename = "KeyUse", rename_all = "lowercase")]
enum Purpose {
    /// Signatures.
    Sig,
}

/// A public key (RFC 7517, section 4).
#[derive(Serialize, Object)]
#[oai(rename = "PublicKey", example)]
struct PublicKeyDocument {
    /// The id by which a token's header names the key.
    #[oai(validator(min_length = "1", max_length = "64"))]
    kid: String,
    kty: KeyType,
    crv: Curve,
    alg: Algorithm,
    #[serde(rename = "use")]
    #[oai(rename = "use")]
    purpose: Purpose,
    /// The first coordinate: 32 bytes in base64url.
    #[oai(validator(min_length = "43", max_length = "43"))]
    x: String,
    /// The second coordinate, where the kind of key has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none, validator(min_length = "43", max_length = "43"))]
    y: Option<String>,
}

impl From<PublicKey> for PublicKeyDocument {
    fn from(PublicKey { id: kid, point }: PublicKey) -> Self {
        let text = |coordinate: [u8; 32]| URL_SAFE_NO_PAD.encode(coordinate);
        let (kty, crv, alg, x, y) = match point {
            PublicPoint::Ed25519 { x } => (KeyType::Okp, Curve::Ed25519, Algorithm::EdDsa, text(x), None),
            PublicPoint::P256 { x, y } => (KeyType::Ec, Curve::P256, Algorithm::Es256, text(x), Some(text(y))),
        };
        Self { kid, kty, crv, alg, purpose: Purpose::Sig, x, y }
    }
}

impl Example for PublicKeyDocument {
    fn example() -> Self {
        Self {
            // RFC 8037, appendices A.2 and A.3.
            kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into(),
            kty: KeyType::Okp,
            crv: Curve::Ed25519,
            alg: Algorithm::EdDsa,
            purpose: Purpose::Sig,
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into(),
            y: None,
        }
    }
}

/// The public keys (RFC 7517, section 5).
#[derive(Serialize, Object)]
#[oai(rename = "KeySet", example)]
struct KeySetDocument {
    /// Empty where tokens are signed with a secret (HS256).
    #[oai(validator(max_items = "100"))]
    keys: Vec<PublicKeyDocument>,
}

impl Example for KeySetDocument {
    fn example() -> Self {
        Self { keys: vec![PublicKeyDocument::example()] }
    }
}

#[derive(ApiResponse)]
enum KeySetAnswer {
    /// The keys that verify now, those announced included.
    #[oai(status = 200)]
    Keys(
        JsonAnswer<KeySetDocument>,
        /// How long the set may be kept.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

pub struct KeySetApi;

#[expect(clippy::unused_async, reason = "poem-openapi takes async operations alone")]
#[OpenApi(tag = "Tag::Service")]
impl KeySetApi {
    /// Get the public keys
    ///
    /// The keys that tokens verify with, for whoever wants to check a token without asking the service. A key is here
    /// before it signs; one that is revoked is not.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "getKeySet")]
    async fn keys(&self, uses: Use<'_>) -> KeySetAnswer {
        let keys = uses.key_set.public_keys(uses.clock.now());
        let set = KeySetDocument { keys: keys.into_iter().map(Into::into).collect() };
        KeySetAnswer::Keys(JsonAnswer(set), CACHE_CONTROL.to_owned())
    }
}
