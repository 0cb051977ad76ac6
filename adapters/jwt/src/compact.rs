//! The compact form of a token (RFC 7515, section 7.1): three parts of base64url, read as little as possible.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::TokenError;

/// The most bytes of a token: a longer one is refused unread.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// The parts of a token, still encoded.
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// What the signature is over: header and payload with the dot between them.
    pub(crate) signing_input: &'a str,
}

impl<'a> Compact<'a> {
    /// # Errors
    /// [`TokenError::TooLong`]; [`TokenError::Malformed`] unless the token is three parts of base64url's letters.
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

/// Decodes a part that holds a JSON object, and leaves its members to be read.
///
/// # Errors
/// [`TokenError::Malformed`] unless the part is the one base64url spelling (no padding, no stray bits) of UTF-8
/// text that begins as an object does: the derived readers would take an array of the values in order, too.
pub(crate) fn object_text(part: &str) -> Result<String, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| TokenError::Malformed)?;
    if text.trim_ascii_start().starts_with('{') { Ok(text) } else { Err(TokenError::Malformed) }
}
