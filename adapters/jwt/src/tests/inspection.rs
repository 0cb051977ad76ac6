//! Offline verification of access tokens, and of raw tokens from the test vectors of the standards.

use super::*;
use crate::{KeyAlgorithm, KeyRing, KeySetError, PublishedKeys, Unverified, VerificationKeys, read_unverified};

const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                       "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const SIGNED_WITH_EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const SIGNED_WITH_ES256: &str = "eyJhbGciOiJFUzI1NiJ9.\
     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
     DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn set(keys: &[&str]) -> Result<PublishedKeys, KeySetError> {
    PublishedKeys::parse(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes())
}

fn raw(keys: &[&str], token: &str) -> Result<(), TokenError> {
    VerificationKeys::Set(set(keys).unwrap()).verify_raw(token, NOW)
}

/// Asymmetric key generation does not use it.
struct NoRandom;

impl domain::Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), domain::RandomError> {
        Err(domain::RandomError("none".to_owned()))
    }
}

fn policy() -> TokenPolicy {
    TokenPolicy::new("rollbook", "rollbook-api", LEEWAY).unwrap()
}

/// REQ 8.
#[test]
fn raw_signature_is_tried_with_each_key() {
    for token in [SIGNED_WITH_EDDSA, SIGNED_WITH_ES256] {
        assert_eq!(raw(&[ED25519, P256], token), Ok(()));
        assert_eq!(raw(&[P256, ED25519], token), Ok(()));
    }
    assert_eq!(raw(&[P256], SIGNED_WITH_EDDSA), Err(TokenError::Algorithm));
    let (input, signature) = SIGNED_WITH_EDDSA.rsplit_once('.').unwrap();
    let changed = format!("{input}.A{}", &signature[1..]);
    for keys in [[P256, ED25519], [ED25519, P256]] {
        assert_eq!(raw(&keys, &changed), Err(TokenError::Signature));
    }
}

/// REQ 5, REQ 8.
#[test]
fn raw_verification_enforces_header_rules() {
    let key = format!(r#"{{"kty":"oct","k":"{}"}}"#, URL_SAFE_NO_PAD.encode(KEY));
    let verify = |header: &str| raw(&[&key], &forge(header, "any text"));
    assert_eq!(verify(r#"{"alg":"HS256"}"#), Ok(()));
    assert_eq!(verify(r#"{"alg":"HS256","typ":"JOSE"}"#), Ok(()));
    assert_eq!(verify(r#"{"alg":"HS256","kid":"another"}"#), Err(TokenError::UnknownKey));
    assert_eq!(verify(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#), Err(TokenError::Critical));
    assert_eq!(verify(r#"{"alg":"none"}"#), Err(TokenError::Algorithm));
    assert_eq!(verify(r#"{"alg":"ES256"}"#), Err(TokenError::Algorithm));
    assert_eq!(verify(r"{}"), Err(TokenError::Algorithm));
}

#[test]
fn access_token_is_verified_as_by_the_service() {
    for algorithm in [KeyAlgorithm::EdDsa, KeyAlgorithm::Es256] {
        let ring = KeyRing::generate(algorithm, NOW, &NoRandom).unwrap();
        let tokens = JwtTokens::with_ring(ring.clone(), policy());
        let token = tokens.sign(&some_claims()).unwrap();
        let keys = VerificationKeys::Ring(ring);
        assert_eq!(keys.verify(token.expose(), &policy(), NOW), Ok(some_claims()));
        assert_eq!(keys.verify(token.expose(), &policy(), NOW + Duration::HOUR), Err(TokenError::Expired));
        assert_eq!(keys.verify(SIGNED_WITH_EDDSA, &policy(), NOW), Err(TokenError::Type));
    }
}

#[test]
fn key_set_skips_foreign_and_damaged_keys() {
    for other in [
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        r#"{"kty":"EC","crv":"P-384","x":"","y":""}"#,
        r#"{"kty":"OKP","crv":"Ed25519","alg":"HS256","x":""}"#,
    ] {
        assert_eq!(set(&[other]).err(), Some(KeySetError::Empty), "{other}");
    }
    for damaged in [
        r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":7}"#,
        r#"{"kty":"oct","k":"c2VjcmV0"}"#,
        r#"{"kty":["EC"]}"#,
        r#"{"crv":"P-256"}"#,
        "7",
    ] {
        assert_eq!(raw(&[damaged, P256], SIGNED_WITH_ES256), Ok(()), "{damaged}");
        let foreign = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
        assert_eq!(set(&[foreign, damaged]).err(), Some(KeySetError::Damaged(2)), "{damaged}");
    }
    assert!(matches!(PublishedKeys::parse(b"{"), Err(KeySetError::Form { .. })));
}

/// RFC 7517, sections 4.2 and 4.3.
#[test]
fn key_for_another_use_or_operation_verifies_nothing() {
    let with = |members: &str| ED25519.replace("\"kty\"", &format!("{members},\"kty\""));
    for right in [r#""use":"sig""#, r#""key_ops":["verify"]"#, r#""use":"sig","key_ops":["sign","verify"]"#] {
        assert_eq!(raw(&[&with(right)], SIGNED_WITH_EDDSA), Ok(()), "{right}");
    }
    for (wrong, error) in [
        (r#""use":"enc""#, TokenError::KeyUse),
        (r#""use":"enc","key_ops":["verify"]"#, TokenError::KeyUse),
        (r#""key_ops":["sign"]"#, TokenError::KeyOperations),
        (r#""key_ops":[]"#, TokenError::KeyOperations),
        (r#""use":"sig","key_ops":["deriveKey"]"#, TokenError::KeyOperations),
        (r#""use":["sig"]"#, TokenError::KeyUse),
        (r#""use":7"#, TokenError::KeyUse),
        (r#""key_ops":"verify""#, TokenError::KeyOperations),
        (r#""key_ops":{"verify":true}"#, TokenError::KeyOperations),
        (r#""key_ops":["verify",7]"#, TokenError::KeyOperations),
    ] {
        assert_eq!(raw(&[&with(wrong)], SIGNED_WITH_EDDSA), Err(error), "{wrong}");
        assert_eq!(raw(&[&with(wrong), ED25519], SIGNED_WITH_EDDSA), Ok(()), "{wrong}");
    }
    let (input, signature) = SIGNED_WITH_EDDSA.rsplit_once('.').unwrap();
    let changed = format!("{input}.A{}", &signature[1..]);
    let other = with(r#""use":"enc""#);
    for keys in [[ED25519, &other], [&other, ED25519]] {
        assert_eq!(raw(&keys, &changed), Err(TokenError::Signature), "the reason of the usable key");
    }
}

#[test]
fn unverified_token_is_decoded() {
    let Unverified { header, claims } = read_unverified(SIGNED_WITH_ES256).unwrap();
    assert_eq!((&header["alg"], &claims["iss"]), (&"ES256".into(), &"joe".into()));
    assert_eq!(read_unverified(SIGNED_WITH_EDDSA), Err(TokenError::Malformed));
}
