//! Known-answer tests of each algorithm with tokens of the articles and the standards.

use jsonwebtoken::Algorithm;

use super::*;
use crate::compact::Compact;
use crate::verifying_key::VerifyingKey;

const SAMPLE: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.J_RIIkoOLNXtd5IZcEwaBDGKGA3VnnYmuXnmhsmDEOs";

#[test]
fn hs256_matches_known_answer() {
    let token = Compact::split(SAMPLE).ok().unwrap();
    let verify = |key: &[u8]| VerifyingKey::hs256(key).verify(Algorithm::HS256, token.signing_input, token.signature);
    assert_eq!(verify(b"secret"), Ok(()));
    assert_eq!(verify(b"Secret"), Err(TokenError::Signature));
    assert_eq!(sign(token.signing_input, b"secret", Algorithm::HS256), SAMPLE);
}

/// REQ 7, REQ 9, REQ 10.
#[test]
fn token_of_articles_is_rejected() {
    assert_eq!(verdict(SAMPLE), Err(TokenError::Type));
    let without_key = header(&json!({"kid": null}));
    assert_eq!(verdict(&forge(&without_key, r#"{"user_id":1}"#)), Err(TokenError::UnknownKey));
    assert_eq!(verdict(&forge(&header(&json!({})), r#"{"user_id":1}"#)), Err(TokenError::Claims));
}

fn coordinate(text: &str) -> [u8; 32] {
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

/// Asserts that the signature is valid only for its message and algorithm.
fn assert_known_answer(key: &VerifyingKey, algorithm: Algorithm, sample: &str) {
    let token = Compact::split(sample).ok().unwrap();
    assert_eq!(key.verify(algorithm, token.signing_input, token.signature), Ok(()));
    assert_eq!(key.verify(algorithm, token.header, token.signature), Err(TokenError::Signature));
    for other in [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::ES384] {
        if other != algorithm {
            assert_eq!(key.verify(other, token.signing_input, token.signature), Err(TokenError::Algorithm));
        }
    }
}

/// REQ 8.
#[test]
fn eddsa_matches_rfc_8037_appendix_a_4() {
    let key = VerifyingKey::eddsa(&coordinate("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    let sample = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                  hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_known_answer(&key, Algorithm::EdDSA, sample);
}

/// REQ 8.
#[test]
fn es256_matches_rfc_7515_appendix_a_3() {
    let x = coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let sample = "eyJhbGciOiJFUzI1NiJ9.\
                  eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                  DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert_known_answer(&VerifyingKey::es256(&x, &y), Algorithm::ES256, sample);
}
