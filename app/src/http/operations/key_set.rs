//! `GET /.well-known/jwks.json`: the public keys for verifying access tokens (RFC 7517, section 5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::{PublicKey, PublicPoint};
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::json;

use super::{Tag, UseCasesData};
use crate::http::request::Public;
use crate::http::response::Json;
use crate::http::wire::{List, Omittable, closed_enum, response};

/// Shorter than the recommended announcement period of a key, so that cached sets contain a key before it signs.
const CACHE_CONTROL: &str = "public, max-age=60";

closed_enum! {
    /// Key type (RFC 7518, section 6.1; RFC 8037, section 2).
    pub enum KeyType as "KeyType" {
        Okp = "OKP",
        Ec = "EC",
    }
}

closed_enum! {
    /// Curve of a key (RFC 7518, section 6.2.1.1; RFC 8037, section 2).
    pub enum Curve as "KeyCurve" {
        Ed25519 = "Ed25519",
        P256 = "P-256",
    }
}

closed_enum! {
    /// Signature algorithm of a key. Tokens of this key with another algorithm are rejected.
    pub enum Algorithm as "KeyAlgorithm" {
        EdDsa = "EdDSA",
        Es256 = "ES256",
    }
}

closed_enum! {
    /// Use of a key: signatures (RFC 7517, section 4.2).
    pub enum KeyUse as "KeyUse" {
        Sig = "sig",
    }
}

response! {
    /// A public key (RFC 7517, section 4). The example is from RFC 8037, appendices A.2 and A.3.
    pub struct PublicKeyDocument as "PublicKey" {
        /// Key id, as in the `kid` header of tokens.
        kid: String = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        kty: KeyType = "OKP",
        crv: Curve = "Ed25519",
        alg: Algorithm = "EdDSA",
        key_use as "use": KeyUse = "sig",
        /// Public key (`OKP`) or x coordinate (`EC`): 32 bytes in base64url without padding.
        x: String = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        /// Y coordinate (`EC`): 32 bytes in base64url without padding. Absent for `OKP`.
        y: Omittable<String> = (),
    }
}

impl From<PublicKey> for PublicKeyDocument {
    fn from(PublicKey { id: kid, point }: PublicKey) -> Self {
        let text = |coordinate: [u8; 32]| URL_SAFE_NO_PAD.encode(coordinate);
        let (kty, crv, alg, x, y) = match point {
            PublicPoint::Ed25519 { x } => (KeyType::Okp, Curve::Ed25519, Algorithm::EdDsa, text(x), None),
            PublicPoint::P256 { x, y } => (KeyType::Ec, Curve::P256, Algorithm::Es256, text(x), Some(text(y))),
        };
        Self { kid, kty, crv, alg, key_use: KeyUse::Sig, x, y: Omittable(y) }
    }
}

response! {
    /// A key set (RFC 7517, section 5).
    pub struct KeySet as "KeySet" {
        /// Public keys. Empty if tokens are signed with a secret (HS256).
        keys: List<PublicKeyDocument, 100> = json!([]),
    }
}

#[derive(ApiResponse)]
enum KeySetResponse {
    /// Contains the keys that are valid for verification, including announced keys.
    #[oai(status = 200)]
    Keys(
        Json<KeySet>,
        /// Maximum age of the key set in caches, in seconds (RFC 9111, section 5.2.2.1).
        #[oai(header = "Cache-Control")]
        String,
    ),
}

pub struct KeySetApi;

#[expect(clippy::unused_async, reason = "poem-openapi requires async operations")]
#[OpenApi(tag = "Tag::Service")]
impl KeySetApi {
    /// Get the public keys
    ///
    /// Returns the keys for verifying access tokens, for services that validate tokens themselves. A new key is in the set
    /// before it signs tokens. Revoked keys are not in the set.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "getKeySet")]
    async fn keys(&self, _public: Public, uses: UseCasesData<'_>) -> KeySetResponse {
        let keys = uses.key_set.public_keys(uses.clock.now());
        let set = KeySet { keys: List(keys.into_iter().map(Into::into).collect()) };
        KeySetResponse::Keys(Json(set), CACHE_CONTROL.to_owned())
    }
}
