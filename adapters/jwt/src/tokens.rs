//! The token port: signs and verifies.

use std::collections::BTreeMap;

use domain::token::{Claims, SignError, SignedToken, TokenError, Tokens};
use jsonwebtoken::{Algorithm, EncodingKey, Header as SignedHeader};
use time::OffsetDateTime;

use crate::claims::{ReadClaims, SignedClaims};
use crate::compact::{self, Compact};
use crate::header::{self, Header};
use crate::verifying_key::{self, VerifyingKey};
use crate::{SigningKey, TokenPolicy};

/// Signs access tokens (RFC 9068) with one key, and verifies those that a known key has signed.
pub struct JwtTokens {
    policy: TokenPolicy,
    header: SignedHeader,
    key: EncodingKey,
    /// By `kid`. Fixed: nothing that stands in a token adds a key.
    verifying: BTreeMap<String, VerifyingKey>,
}

impl JwtTokens {
    /// Signs with HS256. The key's `kid` is derived from it, so that all nodes with the same key agree.
    ///
    /// # Errors
    /// [`SignError`] when the key cannot sign.
    pub fn new(key: &SigningKey, policy: TokenPolicy) -> Result<Self, SignError> {
        let verifying = VerifyingKey::hs256(key.expose());
        let key = EncodingKey::from_secret(key.expose());
        let key_id = verifying_key::key_id(&key)?;
        let mut header = SignedHeader::new(Algorithm::HS256);
        header.typ = Some(header::ACCESS_TOKEN.to_owned());
        header.kid = Some(key_id.clone());
        Ok(Self { policy, header, key, verifying: BTreeMap::from([(key_id, verifying)]) })
    }
}

impl Tokens for JwtTokens {
    fn sign(&self, claims: &Claims) -> Result<SignedToken, SignError> {
        jsonwebtoken::encode(&self.header, &SignedClaims::new(claims, &self.policy), &self.key)
            .map(SignedToken::new)
            .map_err(|error| SignError(error.to_string()))
    }

    fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Claims, TokenError> {
        let token = Compact::split(token)?;
        let header = Header::parse(&compact::object_text(token.header)?)?;
        let key = header.key_id.and_then(|id| self.verifying.get(&id)).ok_or(TokenError::UnknownKey)?;
        key.verify(header.algorithm, token.signing_input, token.signature)?;
        ReadClaims::parse(&compact::object_text(token.payload)?)?.judge(&self.policy, now)
    }
}
