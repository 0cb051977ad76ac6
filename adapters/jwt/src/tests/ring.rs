//! The key ring: its algorithms, its states over time, its changes, and its file.

mod early_key;

use domain::token::{KeySet, PublicPoint};
use domain::{Random, RandomError};
use secrecy::ExposeSecret;

use super::*;
use crate::{KeyAlgorithm, KeyChangeError, KeyRing, KeyRingError, KeyState};

const ALL: [KeyAlgorithm; 3] = [KeyAlgorithm::Hs256, KeyAlgorithm::EdDsa, KeyAlgorithm::Es256];
const ANNOUNCE: Duration = Duration::minutes(5);
const LIFETIME: Duration = Duration::minutes(15);

/// Deterministic bytes that differ between keys.
struct Sequence(std::sync::atomic::AtomicU64);

impl Random for Sequence {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            let state = self.0.load(std::sync::atomic::Ordering::Relaxed);
            let next = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0.store(next, std::sync::atomic::Ordering::Relaxed);
            *byte = next.to_be_bytes()[0];
        }
        Ok(())
    }
}

static RANDOM: Sequence = Sequence(std::sync::atomic::AtomicU64::new(1));

fn generated(algorithm: KeyAlgorithm) -> KeyRing {
    KeyRing::generate(algorithm, NOW, &RANDOM).unwrap()
}

fn rotated(ring: &KeyRing, now: OffsetDateTime) -> KeyRing {
    ring.rotate(ring.keys()[0].algorithm(), ANNOUNCE, LIFETIME, now, &RANDOM).unwrap()
}

fn tokens_on(ring: &KeyRing) -> JwtTokens {
    JwtTokens::with_ring(ring.clone(), TokenPolicy::new("rollbook", "rollbook-api", LEEWAY).unwrap())
}

fn issued(at: OffsetDateTime) -> Claims {
    let lifetime = TokenLifetime::new(LIFETIME).unwrap();
    Claims::new(7.try_into().unwrap(), 3.try_into().unwrap(), TokenId::from_token("t-1".into()), at, lifetime)
}

fn token(ring: &KeyRing, at: OffsetDateTime) -> String {
    tokens_on(ring).sign(&issued(at)).unwrap().expose().to_owned()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn states(ring: &KeyRing, at: OffsetDateTime) -> Vec<KeyState> {
    ring.keys().iter().map(|key| ring.state_at(key, at)).collect()
}

/// REQ 8.
#[test]
fn token_is_verified_only_by_its_own_ring() {
    for algorithm in ALL {
        let ring = generated(algorithm);
        let valid = token(&ring, NOW);
        assert_eq!(tokens_on(&ring).verify(&valid, NOW), Ok(issued(NOW)), "{algorithm}");
        assert_eq!(tokens_on(&generated(algorithm)).verify(&valid, NOW), Err(TokenError::UnknownKey), "{algorithm}");
        let (input, signature) = valid.rsplit_once('.').unwrap();
        let changed = format!("{input}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
        assert_eq!(tokens_on(&ring).verify(&changed, NOW), Err(TokenError::Signature), "{algorithm}");
        let header: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(valid.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header, json!({"typ": "at+jwt", "alg": algorithm.as_str(), "kid": ring.keys()[0].id()}));
    }
}

/// The public key of a ring in all encodings that could be used as a secret.
fn public_forms(ring: &KeyRing) -> Vec<Vec<u8>> {
    let public = tokens_on(ring).public_keys(NOW).remove(0);
    match public.point {
        PublicPoint::Ed25519 { x } => vec![x.to_vec(), URL_SAFE_NO_PAD.encode(x).into_bytes()],
        PublicPoint::P256 { x, y } => {
            let point = [&[4][..], &x, &y].concat();
            vec![x.to_vec(), [x, y].concat(), URL_SAFE_NO_PAD.encode(&point).into_bytes(), point]
        }
    }
}

/// REQ 8.
#[test]
fn public_key_as_hmac_secret_is_rejected() {
    for algorithm in [KeyAlgorithm::EdDsa, KeyAlgorithm::Es256] {
        let ring = generated(algorithm);
        let header = json!({"typ": "at+jwt", "alg": "HS256", "kid": ring.keys()[0].id()}).to_string();
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims(&json!({}))));
        for form in public_forms(&ring) {
            let forged = sign(&input, &form, Algorithm::HS256);
            assert_eq!(tokens_on(&ring).verify(&forged, NOW), Err(TokenError::Algorithm), "{algorithm}");
        }
    }
}

/// REQ 8.
#[test]
fn alg_that_differs_from_that_of_kid_is_rejected() {
    for algorithm in ALL {
        let ring = generated(algorithm);
        let valid = token(&ring, NOW);
        for other in ALL.into_iter().filter(|other| *other != algorithm) {
            let foreign = token(&generated(other), NOW);
            let header = json!({"typ": "at+jwt", "alg": other.as_str(), "kid": ring.keys()[0].id()}).to_string();
            let (header, rest) =
                (URL_SAFE_NO_PAD.encode(header), |token: &str| token.split_once('.').unwrap().1.to_owned());
            for forged in [rest(&valid), rest(&foreign)].map(|rest| format!("{header}.{rest}")) {
                assert_eq!(tokens_on(&ring).verify(&forged, NOW), Err(TokenError::Algorithm), "{algorithm} as {other}");
            }
        }
    }
}

/// REQ 11.
#[test]
fn key_passes_through_its_states_in_order() {
    use KeyState::{Announced, Expired, Signing, Verifying};
    for algorithm in ALL {
        let ring = rotated(&generated(algorithm), NOW);
        let (signs, over) = (NOW + ANNOUNCE, NOW + ANNOUNCE + LIFETIME + KeyRing::MARGIN);
        assert_eq!(states(&ring, NOW), [Signing, Announced]);
        assert_eq!(states(&ring, signs - Duration::NANOSECOND), [Signing, Announced]);
        assert_eq!(states(&ring, signs), [Verifying, Signing]);
        assert_eq!(states(&ring, over - Duration::NANOSECOND), [Verifying, Signing]);
        assert_eq!(states(&ring, over), [Expired, Signing]);
        for at in [NOW, signs - Duration::SECOND, signs, over] {
            let signing = ring.signing_at(at).unwrap();
            assert_eq!(kid(&token(&ring, at)), signing.id(), "{at}");
        }
        let old = token(&ring, signs - Duration::SECOND);
        let expired = signs - Duration::SECOND + LIFETIME + LEEWAY;
        assert!(tokens_on(&ring).verify(&old, expired - Duration::NANOSECOND).is_ok());
        assert_eq!(tokens_on(&ring).verify(&old, expired), Err(TokenError::Expired));
        assert_eq!(tokens_on(&ring).verify(&old, over), Err(TokenError::KeyExpired));
    }
}

/// REQ 11.
#[test]
fn rotation_rejects_no_valid_token() {
    let before = generated(KeyAlgorithm::Es256);
    let after = rotated(&before, NOW);
    let node = tokens_on(&before);
    let old = token(&before, NOW);
    assert!(tokens_on(&after).verify(&old, NOW + ANNOUNCE + Duration::MINUTE).is_ok(), "node with both keys");
    let new = token(&after, NOW + ANNOUNCE);
    assert_eq!(node.verify(&new, NOW + ANNOUNCE), Err(TokenError::UnknownKey), "node that has not loaded the new ring");
    node.replace_ring(after.clone());
    assert!(node.verify(&new, NOW + ANNOUNCE).is_ok() && node.verify(&old, NOW + ANNOUNCE).is_ok());
    // A node with a fast clock signs early with the new key; the other nodes already accept it.
    assert!(tokens_on(&after).verify(&new, NOW).is_ok());
}

/// REQ 11.
#[test]
fn revoked_key_is_rejected_at_any_time() {
    let ring = rotated(&generated(KeyAlgorithm::EdDsa), NOW);
    let later = NOW + ANNOUNCE + Duration::MINUTE;
    let old = token(&ring, NOW);
    let revoked = ring.revoke(ring.keys()[0].id(), later).unwrap();
    assert_eq!(states(&revoked, later), [KeyState::Revoked, KeyState::Signing]);
    assert!(tokens_on(&ring).verify(&old, later).is_ok());
    assert_eq!(tokens_on(&revoked).verify(&old, later), Err(TokenError::KeyRevoked));
    assert_eq!(tokens_on(&revoked).verify(&old, NOW - Duration::DAY), Err(TokenError::KeyRevoked), "at any time");
    assert_eq!(tokens_on(&revoked).public_keys(later).len(), 1);
}

/// REQ 11.
#[test]
fn last_signing_key_cannot_be_revoked_or_removed() {
    let one = generated(KeyAlgorithm::EdDsa);
    let id = one.keys()[0].id().to_owned();
    assert_eq!(one.revoke(&id, NOW).err(), Some(KeyChangeError::LastSigningKey(id.clone())));
    assert_eq!(one.remove(&id, NOW).err(), Some(KeyChangeError::InUse(id.clone())));
    assert_eq!(one.revoke("x", NOW).err(), Some(KeyChangeError::Unknown("x".into())));
    let two = rotated(&one, NOW);
    let announced = two.keys()[1].id().to_owned();
    let again = two.rotate(KeyAlgorithm::EdDsa, ANNOUNCE, LIFETIME, NOW, &RANDOM);
    assert_eq!(again.err(), Some(KeyChangeError::Announced { announced: announced.clone(), signing: id.clone() }));
    let back = two.revoke(&announced, NOW).unwrap();
    assert_eq!(states(&back, NOW + Duration::DAY), [KeyState::Signing, KeyState::Revoked]);
    let urgent = two.revoke(&id, NOW).unwrap();
    assert_eq!(urgent.signing_at(NOW).unwrap().id(), announced, "the only valid key signs at once");
    assert_eq!(urgent.keys()[1].times().signs_from, NOW);
    let removed = urgent.remove(&id, NOW).unwrap();
    assert_eq!(removed.keys().len(), 1);
}

/// REQ 11.
#[test]
fn urgent_rotation_revokes_the_announced_key() {
    use KeyState::{Expired, Revoked, Signing, Verifying};
    let pending = rotated(&generated(KeyAlgorithm::EdDsa), NOW);
    let old = token(&pending, NOW);
    let urgent = pending.rotate(KeyAlgorithm::EdDsa, Duration::ZERO, LIFETIME, NOW, &RANDOM).unwrap();
    assert_eq!(states(&urgent, NOW), [Verifying, Revoked, Signing]);
    assert!(tokens_on(&urgent).verify(&old, NOW).is_ok());
    assert_eq!(states(&urgent, NOW + ANNOUNCE), [Verifying, Revoked, Signing]);
    assert_eq!(states(&urgent, NOW + LIFETIME + KeyRing::MARGIN), [Expired, Revoked, Signing]);
    for leaked in [0, 1] {
        let revoked = urgent.revoke(urgent.keys()[leaked].id(), NOW).unwrap();
        assert_eq!(states(&revoked, NOW)[1..], [Revoked, Signing]);
    }
}

/// REQ 11.
#[test]
fn only_verifying_public_keys_are_published() {
    assert_eq!(tokens_on(&generated(KeyAlgorithm::Hs256)).public_keys(NOW), []);
    let ring = rotated(&generated(KeyAlgorithm::EdDsa), NOW);
    let ids = |at| tokens_on(&ring).public_keys(at).into_iter().map(|key| key.id).collect::<Vec<_>>();
    let [old, new] = [0, 1].map(|at: usize| ring.keys()[at].id().to_owned());
    assert_eq!(ids(NOW), [old, new.clone()]);
    assert_eq!(ids(NOW + Duration::DAY), [new]);
}

#[test]
fn ring_file_round_trips() {
    for algorithm in ALL {
        let ring = rotated(&generated(algorithm), NOW);
        let ring = ring.revoke(ring.keys()[0].id(), NOW + Duration::HOUR).unwrap();
        let text = ring.to_json().unwrap();
        let read = KeyRing::parse(text.expose_secret().as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(read.to_json().unwrap().expose_secret(), text.expose_secret());
        assert!(text.expose_secret().starts_with("{\n  \"version\": 1,"), "{algorithm}");
        assert!(tokens_on(&read).verify(&token(&ring, NOW + Duration::HOUR), NOW + Duration::HOUR).is_ok());
    }
}

/// The file of a ring with one EdDSA key and changed members; null removes a member.
fn file_with(changes: &Value) -> String {
    let text = generated(KeyAlgorithm::EdDsa).to_json().unwrap();
    let mut file: Value = serde_json::from_str(text.expose_secret()).unwrap();
    file["keys"][0] = serde_json::from_str(&changed(file["keys"][0].clone(), changes)).unwrap();
    file.to_string()
}

/// REQ 11.
#[test]
fn invalid_ring_file_is_rejected_without_quoting_it() {
    const SECRET: &str = "MC4CAQAwBQYDK2VwBCIEIFfI0xX1";
    for (changes, wanted) in [
        (json!({"kid": "two words"}), "1 to 64 letters"),
        (json!({"kid": ""}), "1 to 64 letters"),
        (json!({"alg": "none"}), "must be HS256, EdDSA or ES256"),
        (json!({"alg": "RS256"}), "must be HS256, EdDSA or ES256"),
        (json!({"alg": "ES256"}), "not a P-256 key"),
        (json!({"alg": "HS256"}), "must have a secret for HS256"),
        (json!({"private_key": null}), "must have a secret for HS256"),
        (json!({"secret": SECRET}), "must have a secret for HS256"),
        (json!({"private_key": SECRET}), "not an Ed25519 key"),
        (json!({"created_at": SECRET}), "invalid JSON of a key ring"),
        (json!({"revoked": SECRET}), "invalid JSON of a key ring"),
        (json!({"verifies_until": "2026-11-23T11:59:59Z"}), "is before its signs_from"),
        (json!({"verifies_until": "2027-11-23T12:00:00Z"}), "no key that can sign indefinitely"),
        (json!({"revoked_at": "2026-11-23T12:00:00Z"}), "no key that can sign indefinitely"),
    ] {
        let error = KeyRing::parse(file_with(&changes).as_bytes()).err().unwrap().to_string();
        assert!(error.contains(wanted) && !error.contains(SECRET), "{changes}: {error}");
    }
    let whole = file_with(&json!({}));
    assert!(KeyRing::parse(whole.as_bytes()).is_ok());
    for cut in (0..whole.len()).step_by(7) {
        assert!(matches!(KeyRing::parse(&whole.as_bytes()[..cut]), Err(KeyRingError::Form { .. })), "{cut}");
    }
    let newer = whole.replace("\"version\":1", "\"version\":2");
    assert_eq!(KeyRing::parse(newer.as_bytes()).err(), Some(KeyRingError::Version(2)));
    let mut twice: Value = serde_json::from_str(&whole).unwrap();
    let key = twice["keys"][0].clone();
    twice["keys"].as_array_mut().unwrap().push(key);
    assert!(matches!(KeyRing::parse(twice.to_string().as_bytes()), Err(KeyRingError::DuplicateId(_))));
}

/// REQ 6.
#[test]
fn weak_secret_in_ring_is_rejected() {
    let weak = json!({"alg": "HS256", "private_key": null, "secret": "changeme changeme changeme changeme"});
    let error = KeyRing::parse(file_with(&weak).as_bytes()).err().unwrap().to_string();
    assert!(error.contains("published sample") && !error.contains("changeme"), "{error}");
}

#[test]
fn generated_kid_never_starts_with_hyphen() {
    for _ in 0..500 {
        assert!(!generated(KeyAlgorithm::Hs256).keys()[0].id().starts_with('-'));
    }
}
