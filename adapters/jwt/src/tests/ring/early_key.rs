//! Rings of release 1.0 in which a key signs before its start.

use super::*;

/// REQ 11.
#[test]
fn key_that_signed_early_never_signs_again_after_a_rotation() {
    // Release 1.0 revoked the signing key while another one was announced, which signed from then on.
    let mut file: Value =
        serde_json::from_str(rotated(&generated(KeyAlgorithm::EdDsa), NOW).to_json().unwrap().expose_secret()).unwrap();
    file["keys"][0]["revoked_at"] = json!("2026-11-23T12:00:00Z");
    for signs_from in ["2026-11-23T12:05:00Z", "2026-11-24T12:00:00Z"] {
        file["keys"][1]["signs_from"] = json!(signs_from);
        let ring = KeyRing::parse(file.to_string().as_bytes()).unwrap();
        for announce in [Duration::ZERO, Duration::minutes(1)] {
            let now = NOW + Duration::SECOND;
            let rotated = ring.rotate(KeyAlgorithm::EdDsa, announce, LIFETIME, now, &RANDOM).unwrap();
            let [early, last] = [1, 2].map(|at: usize| rotated.keys()[at].id());
            for seconds in (0..2 * 86_400).step_by(10) {
                let since = Duration::seconds(seconds);
                let expected = if since < announce { early } else { last };
                assert_eq!(rotated.signing_at(now + since).unwrap().id(), expected, "{announce} {since}");
            }
            if announce.is_positive() {
                let revoked = rotated.revoke(last, now).unwrap();
                assert!((0..100).all(|day| revoked.signing_at(now + Duration::days(day)).unwrap().id() == early));
            }
        }
    }
}
