//! Password hashing and verification, with cheap parameters where the cost does not matter.

use std::num::NonZeroUsize;

use super::*;

const ONE: Limits = Limits { running: NonZeroUsize::MIN, waiting: 8 };
/// Memory in KiB, and passes.
const SMALL: (u32, u32) = (64, 2);

fn small() -> Argon2Hasher {
    Argon2Hasher::with_parameters(ONE, SMALL.0, SMALL.1).unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

/// Hashes `right` with any argon2 variant, as a PHC string.
fn hashed(algorithm: Algorithm, version: Version, (memory_kib, passes, lanes): (u32, u32, u32)) -> String {
    let params = Params::new(memory_kib, passes, lanes, None).unwrap();
    let phc: Phc = Argon2::new(algorithm, version, params).hash_password(b"right").unwrap();
    phc.to_string()
}

async fn verdict(text: &str, stored: &str) -> Verdict {
    small().verify(password(text), Some(PasswordHash::new(stored.to_owned())), Share::LOCAL).await.unwrap()
}

/// REQ 13.
#[tokio::test]
async fn hash_is_argon2id_phc_string_with_current_parameters() {
    let hasher = Argon2Hasher::new(Limits::default()).unwrap();
    let stored = hasher.hash(password("correct horse battery"), Share::LOCAL).await.unwrap();
    assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.expose());
    assert!(
        hasher.dummy_hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        hasher.dummy_hash.expose()
    );
    let phc = Phc::new(stored.expose()).unwrap();
    assert_eq!((phc.salt.unwrap().len(), phc.hash.unwrap().len()), (16, 32));
    assert_eq!(
        hasher.verify(password("correct horse battery"), Some(stored), Share::LOCAL).await.unwrap(),
        Verdict::Correct
    );
}

#[tokio::test]
async fn only_right_password_verifies() {
    let hasher = small();
    let stored = hasher.hash(password("pässword ✓"), Share::LOCAL).await.unwrap();
    assert_eq!(
        hasher.verify(password("pässword ✓"), Some(stored.clone()), Share::LOCAL).await.unwrap(),
        Verdict::Correct
    );
    for wrong in ["pässword", "Pässword ✓", "pässword ✓ ", "x", &"x".repeat(128)] {
        assert_eq!(
            hasher.verify(password(wrong), Some(stored.clone()), Share::LOCAL).await.unwrap(),
            Verdict::Incorrect,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn each_hash_has_unique_salt() {
    let hasher = small();
    let (one, other) = (
        hasher.hash(password("same"), Share::LOCAL).await.unwrap(),
        hasher.hash(password("same"), Share::LOCAL).await.unwrap(),
    );
    assert!(one != other);
}

/// REQ 15.
#[tokio::test]
async fn missing_hash_is_verified_against_dummy_hash() {
    let mut hasher = small();
    let dummy_hash = Phc::new(hasher.dummy_hash.expose()).unwrap();
    let params = Params::try_from(&dummy_hash).unwrap();
    assert_eq!((params.m_cost(), params.t_cost()), SMALL);
    assert_eq!(hasher.verify(password("anything"), None, Share::LOCAL).await.unwrap(), Verdict::Incorrect);

    hasher.dummy_hash = hasher.hash(password("right"), Share::LOCAL).await.unwrap();
    assert_eq!(
        hasher.verify(password("right"), None, Share::LOCAL).await.unwrap(),
        Verdict::Incorrect,
        "dummy password"
    );

    hasher.dummy_hash = PasswordHash::new("damaged".to_owned());
    assert!(hasher.verify(password("right"), None, Share::LOCAL).await.is_err(), "the dummy hash is verified");
}

/// REQ 13.
#[tokio::test]
async fn right_password_with_weaker_parameters_is_outdated() {
    let outdated = [
        hashed(Algorithm::Argon2id, Version::V0x13, (SMALL.0 - 1, SMALL.1, 1)),
        hashed(Algorithm::Argon2id, Version::V0x13, (SMALL.0 * 2, SMALL.1 - 1, 1)),
        hashed(Algorithm::Argon2id, Version::V0x10, (SMALL.0, SMALL.1, 1)),
        hashed(Algorithm::Argon2id, Version::V0x10, (SMALL.0, SMALL.1, 1)).replace("$v=16", ""),
        hashed(Algorithm::Argon2i, Version::V0x13, (SMALL.0, SMALL.1, 1)),
        hashed(Algorithm::Argon2d, Version::V0x13, (SMALL.0, SMALL.1, 1)),
    ];
    for stored in outdated {
        assert_eq!(verdict("right", &stored).await, Verdict::CorrectButOutdated, "{stored}");
        assert_eq!(verdict("wrong", &stored).await, Verdict::Incorrect, "{stored}");
    }
}

/// REQ 13.
#[tokio::test]
async fn short_salt_or_output_is_outdated() {
    let params = |output| Params::new(SMALL.0, SMALL.1, 1, Some(output)).unwrap();
    for (salt, output) in [(&b"8 bytes."[..], 32), (b"sixteen bytes...", 16)] {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(output));
        let stored: Phc = argon2.hash_password_with_salt(b"right", salt).unwrap();
        assert_eq!(verdict("right", &stored.to_string()).await, Verdict::CorrectButOutdated, "{stored}");
    }
}

/// REQ 13.
#[tokio::test]
async fn stronger_parameters_are_not_outdated() {
    for parameters in [(SMALL.0, SMALL.1, 1), (SMALL.0 * 2, SMALL.1, 1), (SMALL.0, SMALL.1 + 1, 2)] {
        let stored = hashed(Algorithm::Argon2id, Version::V0x13, parameters);
        assert_eq!(verdict("right", &stored).await, Verdict::Correct, "{stored}");
    }
}

#[tokio::test]
async fn invalid_stored_hash_fails_without_quoting_it() {
    let whole = hashed(Algorithm::Argon2id, Version::V0x13, (64, 2, 1));
    let without_output = whole.rsplit_once('$').unwrap().0;
    let without_salt = without_output.rsplit_once('$').unwrap().0;
    for damaged in [
        "",
        "$",
        "right",
        "s3cret in the clear",
        without_output,
        without_salt,
        &whole.replace("argon2id", "scrypt"),
        &whole.replace("v=19", "v=99"),
        &whole.replace("t=2", "t=0"),
        &whole.replace("m=64", "m=x"),
        &format!("{whole}$more"),
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    ] {
        let failed = small().verify(password("right"), Some(PasswordHash::new(damaged.to_owned())), Share::LOCAL).await;
        let Err(HashError::Failed(message)) = failed else { panic!("{damaged} gives {failed:?}") };
        assert_eq!(message, "the stored hash is not an argon2 PHC string", "{damaged}");
    }
}

/// REQ 21.
#[tokio::test]
async fn hashing_and_verifying_share_one_bounded_queue() {
    let hasher = Argon2Hasher::with_parameters(Limits { running: NonZeroUsize::MIN, waiting: 0 }, 64, 1).unwrap();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let occupied = hasher.queue.run(Share::LOCAL, move || {
        begun.send(()).unwrap();
        let _ = ended.recv();
    });
    let attempts = async {
        has_begun.await.unwrap();
        assert!(matches!(hasher.hash(password("x"), Share::LOCAL).await, Err(HashError::Busy)));
        assert!(matches!(hasher.verify(password("x"), None, Share::LOCAL).await, Err(HashError::Busy)));
        assert!(matches!(
            hasher.verify(password("x"), Some(hasher.dummy_hash.clone()), Share::LOCAL).await,
            Err(HashError::Busy)
        ));
        drop(end);
    };
    let (occupied, ()) = tokio::join!(occupied, attempts);
    occupied.unwrap();
    assert!(hasher.hash(password("x"), Share::LOCAL).await.is_ok());
}
