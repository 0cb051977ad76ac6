//! Detects asymmetric keys, which must not be used as HMAC secrets (RFC 8725, section 3.1): a public key is not secret,
//! and a private key belongs to another algorithm.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Detects PEM, SSH public keys, JSON Web Keys, and DER, raw or in base64.
pub(super) fn is_asymmetric(secret: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 5] = [b"-----BEGIN", b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];
    const JWK_MEMBER: &[u8] = b"\"kty\"";
    let text = secret.trim_ascii();
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        || (text.starts_with(b"{") && text.windows(JWK_MEMBER.len()).any(|member| member == JWK_MEMBER))
        || is_der_sequence(secret)
        || STANDARD.decode(text).is_ok_and(|decoded| is_der_sequence(&decoded))
}

/// Returns `true` if the bytes are exactly one DER SEQUENCE (X.690, section 8.1.3), like every encoded key.
fn is_der_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, len @ ..=0x7f, rest @ ..] | [0x30, 0x81, len, rest @ ..] => usize::from(*len) == rest.len(),
        [0x30, 0x82, high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) == rest.len(),
        _ => false,
    }
}
