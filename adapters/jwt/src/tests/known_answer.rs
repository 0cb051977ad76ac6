//! The HS256 code against the articles' sample token, which any implementation must verify.

use jsonwebtoken::Algorithm;

use super::*;
use crate::compact::Compact;
use crate::verifying_key::VerifyingKey;

const SAMPLE: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.J_RIIkoOLNXtd5IZcEwaBDGKGA3VnnYmuXnmhsmDEOs";

#[test]
fn hs256_gives_the_known_answer() {
    let token = Compact::split(SAMPLE).ok().unwrap();
    let verify = |key: &[u8]| VerifyingKey::hs256(key).verify(Algorithm::HS256, token.signing_input, token.signature);
    assert_eq!(verify(b"secret"), Ok(()));
    assert_eq!(verify(b"Secret"), Err(TokenError::Signature));
    assert_eq!(sign(token.signing_input, b"secret", Algorithm::HS256), SAMPLE);
}

#[test]
fn req_07_req_09_req_10_the_articles_token_is_no_access_token() {
    assert_eq!(verdict(SAMPLE), Err(TokenError::Type));
    let without_key = header(&json!({"kid": null}));
    assert_eq!(verdict(&forge(&without_key, r#"{"user_id":1}"#)), Err(TokenError::UnknownKey));
    assert_eq!(verdict(&forge(&header(&json!({})), r#"{"user_id":1}"#)), Err(TokenError::Claims));
}
