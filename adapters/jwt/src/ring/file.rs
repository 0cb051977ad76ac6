//! File format of the key ring: versioned, readable JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

use super::algorithm::KeyAlgorithm;
use super::key::{KeyTimes, RingKey};
use super::material::{Material, MaterialError};
use super::{KeyRing, KeyRingError};
use crate::SigningKey;

/// The only version that is written and read.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    version: u32,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kid: String,
    alg: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    signs_from: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    verifies_until: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    revoked_at: Option<OffsetDateTime>,
    /// Only for HS256: the secret, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<SecretText>,
    /// For the other algorithms: PKCS#8 in base64, as in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private_key: Option<SecretText>,
}

/// Text that is wiped from memory on drop.
struct SecretText(SecretString);

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        String::deserialize(text).map(|text| Self(text.into()))
    }
}

impl KeyRing {
    /// Parses the text of a key ring file.
    ///
    /// # Errors
    /// [`KeyRingError`], which never quotes the text because it contains secrets.
    pub fn parse(json: &[u8]) -> Result<Self, KeyRingError> {
        let file: RingFile = serde_json::from_slice(json)
            .map_err(|error| KeyRingError::Form { line: error.line(), column: error.column() })?;
        if file.version != VERSION {
            return Err(KeyRingError::Version(file.version));
        }
        let keys = file.keys.into_iter().map(Entry::read).collect::<Result<_, _>>()?;
        Self::new(keys)
    }

    /// Serializes the ring as the text of a key ring file.
    ///
    /// # Errors
    /// [`KeyRingError::Unwritable`] if a time has no RFC 3339 form or a secret is not UTF-8.
    pub fn to_json(&self) -> Result<SecretString, KeyRingError> {
        let keys = self.keys.iter().map(Entry::of).collect::<Result<_, _>>();
        let file = keys.map(|keys| RingFile { version: VERSION, keys });
        let text = file.and_then(|file| serde_json::to_string_pretty(&file));
        text.map(|text| format!("{text}\n").into()).map_err(|_| KeyRingError::Unwritable)
    }
}

impl Entry {
    fn of(key: &RingKey) -> Result<Self, serde_json::Error> {
        let bytes = key.material.expose();
        let (secret, private_key) = match key.algorithm() {
            KeyAlgorithm::Hs256 => (Some(String::from_utf8(bytes.to_vec()).map_err(serde_json::Error::custom)?), None),
            KeyAlgorithm::EdDsa | KeyAlgorithm::Es256 => (None, Some(STANDARD.encode(bytes))),
        };
        let KeyTimes { created_at, signs_from, verifies_until, revoked_at } = key.times();
        Ok(Self {
            kid: key.id().to_owned(),
            alg: key.algorithm().to_string(),
            created_at,
            signs_from,
            verifies_until,
            revoked_at,
            secret: secret.map(|text| SecretText(text.into())),
            private_key: private_key.map(|text| SecretText(text.into())),
        })
    }

    fn read(self) -> Result<RingKey, KeyRingError> {
        let algorithm = self.alg.parse().map_err(|_| KeyRingError::Algorithm(printable(&self.kid)))?;
        let times = KeyTimes {
            created_at: self.created_at,
            signs_from: self.signs_from,
            verifies_until: self.verifies_until,
            revoked_at: self.revoked_at,
        };
        let key = match (algorithm, self.secret, self.private_key) {
            (KeyAlgorithm::Hs256, Some(secret), None) => {
                SigningKey::parse(secret.0.expose_secret().as_bytes()).map(Material::Secret).map_err(Into::into)
            }
            (KeyAlgorithm::EdDsa, None, Some(text)) => Material::ed25519(&decoded(&text)),
            (KeyAlgorithm::Es256, None, Some(text)) => Material::p256(&decoded(&text)),
            _ => return Err(KeyRingError::InvalidMember(printable(&self.kid))),
        };
        let id = printable(&self.kid);
        key.and_then(|material| RingKey::new(Some(self.kid), material, times))
            .map_err(|reason: MaterialError| KeyRingError::Key { id, reason })
    }
}

/// Invalid base64 decodes to no bytes, which no key parser accepts.
fn decoded(text: &SecretText) -> Vec<u8> {
    STANDARD.decode(text.0.expose_secret()).unwrap_or_default()
}

/// Reduces an unchecked id to a bounded number of printable characters for error messages.
pub(super) fn printable(id: &str) -> String {
    id.chars().take(KeyRing::MAX_ID_CHARS).filter(char::is_ascii_graphic).collect()
}
