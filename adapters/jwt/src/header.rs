//! The header of a token (RFC 7515, section 4). It is not yet authenticated, so it only selects the key.
//!
//! Members with a key or the URL of one (`jku`, `jwk`, `x5u`, `x5c`) are ignored.

use std::borrow::Cow;

use domain::token::TokenError;
use jsonwebtoken::Algorithm;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// The type of an access token (RFC 9068, section 2.1).
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";

/// Header with a known algorithm.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    typ: Option<Text<'a>>,
    #[serde(borrow)]
    alg: Option<Text<'a>>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Header {
    /// Parses the header of an access token.
    ///
    /// # Errors
    /// [`TokenError::Malformed`], [`TokenError::Critical`], [`TokenError::Algorithm`] or [`TokenError::Type`].
    pub(crate) fn parse(json: &str) -> Result<Self, TokenError> {
        let (header, is_access_token) = Self::read(json)?;
        if is_access_token { Ok(header) } else { Err(TokenError::Type) }
    }

    /// Parses the header of a token of any type.
    ///
    /// # Errors
    /// [`TokenError::Malformed`], [`TokenError::Critical`] or [`TokenError::Algorithm`].
    pub(crate) fn parse_any_type(json: &str) -> Result<Self, TokenError> {
        Self::read(json).map(|(header, _)| header)
    }

    /// Returns the header, and `true` if its `typ` is `at+jwt`.
    fn read(json: &str) -> Result<(Self, bool), TokenError> {
        let members: Members<'_> = serde_json::from_str(json).map_err(|_| TokenError::Malformed)?;
        if members.crit {
            return Err(TokenError::Critical);
        }
        let algorithm = members.alg.and_then(|alg| alg.0.parse().ok()).ok_or(TokenError::Algorithm)?;
        let is_access_token = members.typ.is_some_and(|typ| is_access_token(&typ.0));
        Ok((Self { algorithm, key_id: members.kid }, is_access_token))
    }
}

/// Compares the media type ignoring case, with or without `application/` (RFC 7515, section 4.1.9).
fn is_access_token(typ: &str) -> bool {
    const PREFIX: &str = "application/";
    let name = match typ.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
        _ => typ,
    };
    name.eq_ignore_ascii_case(ACCESS_TOKEN)
}

/// Any `crit` is rejected, even null: no extension is supported.
fn is_present<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}
