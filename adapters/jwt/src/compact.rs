//! Compact serialization of a token (RFC 7515, section 7.1): three base64url parts, separated by dots.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::TokenError;

/// Maximum length of a token in bytes, checked before parsing.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// Encoded parts of a token.
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// The signed bytes: header, dot, payload.
    pub(crate) signing_input: &'a str,
}

impl<'a> Compact<'a> {
    /// # Errors
    /// [`TokenError::TooLong`]; [`TokenError::Malformed`] unless the token consists of three parts in the base64url alphabet.
    pub(crate) fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        if !token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(TokenError::Malformed);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        Ok(Self { header, payload, signature, signing_input })
    }
}

/// Decodes a part to the text of a JSON object, without parsing its members.
///
/// # Errors
/// [`TokenError::Malformed`] unless the part is canonical base64url (no padding, no stray bits) of UTF-8 text that starts
/// with `{`: derived deserializers also accept an array of the member values.
pub(crate) fn object_text(part: &str) -> Result<String, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| TokenError::Malformed)?;
    if text.trim_ascii_start().starts_with('{') { Ok(text) } else { Err(TokenError::Malformed) }
}
