//! Accepted and rejected tokens.

mod claims;
mod form;
mod header;
mod inspection;
mod known_answer;
mod ring;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::{Claims, TokenError, TokenId, TokenLifetime, Tokens};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::{JwtTokens, SigningKey, TokenPolicy, verifying_key};

const KEY: &[u8] = b"qKp3Wc0+Zr7VtN1xJmL8sUeYh2BfGd4T/oRaQvX6iHk9";
const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const LEEWAY: Duration = Duration::seconds(30);

fn tokens_with(key: &[u8], issuer: &str, audience: &str) -> JwtTokens {
    let key = SigningKey::parse(key).ok().unwrap();
    JwtTokens::new(&key, TokenPolicy::new(issuer, audience, LEEWAY).unwrap()).unwrap()
}

fn tokens() -> JwtTokens {
    tokens_with(KEY, "rollbook", "rollbook-api")
}

fn key_id() -> String {
    verifying_key::key_id(&EncodingKey::from_secret(KEY)).unwrap()
}

/// A valid header with changed members; null removes a member.
fn header(changes: &Value) -> String {
    changed(json!({"typ": "at+jwt", "alg": "HS256", "kid": key_id()}), changes)
}

/// Valid claims, issued at [`NOW`] for a minute, with changes; null removes a claim.
fn claims(changes: &Value) -> String {
    let now = NOW.unix_timestamp();
    let valid = json!({
        "user_id": 7, "sub": "7", "iss": "rollbook", "aud": "rollbook-api", "iat": now, "exp": now + 60,
        "sid": "3", "jti": "t-1",
    });
    changed(valid, changes)
}

fn changed(mut valid: Value, changes: &Value) -> String {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => valid.as_object_mut().unwrap().remove(name),
            value => valid.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    valid.to_string()
}

/// Signs any header and payload with the valid key.
fn forge(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    sign(&input, KEY, Algorithm::HS256)
}

fn sign(input: &str, key: &[u8], algorithm: Algorithm) -> String {
    let signature = crypto::sign(input.as_bytes(), &EncodingKey::from_secret(key), algorithm).unwrap();
    format!("{input}.{signature}")
}

fn verdict(token: &str) -> Result<Claims, TokenError> {
    tokens().verify(token, NOW)
}

#[track_caller]
fn assert_header_error(changes: &Value, error: TokenError) {
    assert_eq!(verdict(&forge(&header(changes), &claims(&json!({})))), Err(error), "{changes}");
}

#[track_caller]
fn assert_claims_error(changes: &Value, error: TokenError) {
    assert_eq!(verdict(&forge(&header(&json!({})), &claims(changes))), Err(error), "{changes}");
}

fn some_claims() -> Claims {
    let lifetime = TokenLifetime::new(Duration::MINUTE).unwrap();
    Claims::new(7.try_into().unwrap(), 3.try_into().unwrap(), TokenId::from_token("t-1".into()), NOW, lifetime)
}

#[test]
fn signed_token_verifies_to_its_claims() {
    let token = tokens().sign(&some_claims()).unwrap();
    assert_eq!(verdict(token.expose()), Ok(some_claims()));
    assert_eq!(verdict(&forge(&header(&json!({})), &claims(&json!({})))), Ok(some_claims()));
}

#[test]
fn signed_token_has_documented_members() {
    let token = tokens().sign(&some_claims()).unwrap();
    let parts: Vec<_> = token.expose().split('.').collect();
    let read = |part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(parts[0]).to_string(), header(&json!({})));
    let payload = read(parts[1]);
    assert_eq!(payload, serde_json::from_str::<Value>(&claims(&json!({}))).unwrap());
    assert!(payload["user_id"].is_i64() && payload["iat"].is_i64() && payload["exp"].is_i64());
}

#[test]
fn nodes_with_shared_key_accept_the_same_tokens() {
    let token = tokens().sign(&some_claims()).unwrap();
    assert_eq!(tokens().verify(token.expose(), NOW), Ok(some_claims()));
    let another_key = tokens_with(b"another key: f81DdaWq0pZxN72LbV3", "rollbook", "rollbook-api");
    assert_eq!(another_key.verify(token.expose(), NOW), Err(TokenError::UnknownKey));
}
