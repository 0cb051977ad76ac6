//! Offline verification of tokens with the keys of a file, for debugging and test vectors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::{Claims, TokenError};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use time::OffsetDateTime;

use crate::claims::ReadClaims;
use crate::compact::{self, Compact};
use crate::header::Header;
use crate::ring::MaterialError;
use crate::verifying_key::VerifyingKey;
use crate::{KeyRing, TokenPolicy};

/// Keys for offline verification.
pub enum VerificationKeys {
    Ring(KeyRing),
    Set(PublishedKeys),
}

/// The keys of a JSON Web Key Set (RFC 7517, section 5) that have a supported algorithm, or why they do not verify tokens.
pub struct PublishedKeys(Vec<(Option<String>, Result<VerifyingKey, TokenError>)>);

/// Reason why a key set is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    #[error("invalid JSON of a key set (line {line}, column {column})")]
    Form { line: usize, column: usize },
    #[error("key {0} of the set is invalid")]
    Damaged(usize),
    #[error("the set has no key for HS256, EdDSA or ES256")]
    Empty,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// The relevant members of a key.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<Value>,
    key_ops: Option<Value>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

impl PublishedKeys {
    /// Parses a key set. Keys of unsupported algorithms and invalid keys are skipped (RFC 7517, section 5).
    ///
    /// # Errors
    /// [`KeySetError`], which never quotes the text because it may contain secrets.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let set: Set = serde_json::from_slice(json)
            .map_err(|error| KeySetError::Form { line: error.line(), column: error.column() })?;
        let (mut keys, mut error) = (Vec::new(), KeySetError::Empty);
        for (at, jwk) in set.keys.into_iter().enumerate() {
            let jwk = Jwk::deserialize(jwk).ok();
            match jwk.and_then(|jwk| Some((jwk.verifying_key().ok()?, jwk.kid))) {
                Some((key, id)) => keys.extend(key.map(|key| (id, key))),
                None => error = KeySetError::Damaged(at + 1),
            }
        }
        if keys.is_empty() { Err(error) } else { Ok(Self(keys)) }
    }
}

impl Jwk {
    /// `None` for a key of an unsupported algorithm.
    fn verifying_key(&self) -> Result<Option<Result<VerifyingKey, TokenError>>, MaterialError> {
        if let Err(unusable) = self.permits_verification() {
            return Ok(Some(Err(unusable)));
        }
        let is = |member: &Option<String>, wanted: &str| member.as_deref().is_none_or(|member| member == wanted);
        let coordinate = |text: &Option<String>, error: MaterialError| {
            let bytes = text.as_deref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(error)
        };
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) if is(&self.alg, "EdDSA") => {
                Some(VerifyingKey::eddsa(&coordinate(&self.x, MaterialError::Ed25519)?))
            }
            ("EC", Some("P-256")) if is(&self.alg, "ES256") => {
                let error = MaterialError::P256;
                Some(VerifyingKey::es256(&coordinate(&self.x, error)?, &coordinate(&self.y, error)?))
            }
            ("oct", None) if is(&self.alg, "HS256") => {
                let secret = self.k.as_deref().and_then(|k| URL_SAFE_NO_PAD.decode(k).ok());
                Some(VerifyingKey::hs256(&secret.filter(|k| k.len() >= 32).ok_or(MaterialError::Unable)?))
            }
            _ => None,
        };
        Ok(key.map(Ok))
    }

    /// Checks the intended use and the permitted operations (RFC 7517, sections 4.2 and 4.3), both if a key has both.
    fn permits_verification(&self) -> Result<(), TokenError> {
        if self.purpose.as_ref().is_some_and(|purpose| purpose != "sig") {
            return Err(TokenError::KeyUse);
        }
        let permit = |operations: &Value| {
            let list = operations.as_array().filter(|list| list.iter().all(Value::is_string));
            list.is_some_and(|list| list.iter().any(|operation| operation == "verify"))
        };
        if self.key_ops.as_ref().is_none_or(permit) { Ok(()) } else { Err(TokenError::KeyOperations) }
    }
}

impl VerificationKeys {
    /// Verifies an access token at `now` with the rules of the service, and returns its claims.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn verify(&self, token: &str, policy: &TokenPolicy, now: OffsetDateTime) -> Result<Claims, TokenError> {
        let token = Compact::split(token)?;
        let text = compact::object_text(token.header)?;
        let header = Header::parse(&text)?;
        if header.key_id.is_none() {
            return Err(TokenError::UnknownKey);
        }
        self.verify_signature(&token, &header, now)?;
        ReadClaims::parse(&compact::object_text(token.payload)?)?.validate(policy, now)
    }

    /// Verifies header and signature of a JWS (RFC 7515) with any type and payload. Without a `kid`, each key is tried.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn verify_raw(&self, token: &str, now: OffsetDateTime) -> Result<(), TokenError> {
        let token = Compact::split(token)?;
        URL_SAFE_NO_PAD.decode(token.payload).map_err(|_| TokenError::Malformed)?;
        let header = Header::parse_any_type(&compact::object_text(token.header)?)?;
        self.verify_signature(&token, &header, now)
    }

    fn verify_signature(&self, token: &Compact<'_>, header: &Header, now: OffsetDateTime) -> Result<(), TokenError> {
        let matches_id = |id: Option<&str>| header.key_id.is_none() || header.key_id.as_deref() == id;
        let candidates: Vec<_> = match self {
            Self::Ring(ring) => {
                let keys = ring.keys().iter().filter(|key| matches_id(Some(key.id())));
                keys.map(|key| key.verifying_at(now)).collect()
            }
            Self::Set(PublishedKeys(keys)) => keys
                .iter()
                .filter(|(id, _)| matches_id(id.as_deref()))
                .map(|(_, key)| key.as_ref().map_err(|error| *error))
                .collect(),
        };
        let mut verdict = Err(TokenError::UnknownKey);
        for key in candidates {
            let result = key.and_then(|key| key.verify(header.algorithm, token.signing_input, token.signature));
            match (result, verdict) {
                (Ok(()), _) => return Ok(()),
                // An error from a usable key with the same algorithm is more specific.
                (Err(TokenError::Algorithm | TokenError::KeyUse | TokenError::KeyOperations), Err(before))
                    if before != TokenError::UnknownKey => {}
                (result, _) => verdict = result,
            }
        }
        verdict
    }
}

/// Decoded header and claims of an unverified token.
#[derive(Debug, PartialEq, Eq)]
pub struct Unverified {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

/// Decodes a token without verifying its signature.
///
/// # Errors
/// [`TokenError::TooLong`], [`TokenError::Malformed`]
pub fn read_unverified(token: &str) -> Result<Unverified, TokenError> {
    let token = Compact::split(token)?;
    let object = |part| {
        serde_json::from_str::<Map<String, Value>>(&compact::object_text(part)?).map_err(|_| TokenError::Malformed)
    };
    Ok(Unverified { header: object(token.header)?, claims: object(token.payload)? })
}
