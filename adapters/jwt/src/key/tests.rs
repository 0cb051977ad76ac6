//! Accepted and rejected signing keys.

use std::fmt::Write;

use super::*;

const RANDOM_BASE64: &str = "qKp3Wc0+Zr7VtN1xJmL8sUeYh2BfGd4T/oRaQvX6iHk9";
const RANDOM_HEX: &str = "8f1d4b7c02e96a35f0c7d81e42b95a63";

fn error(secret: impl AsRef<[u8]>) -> Option<SigningKeyError> {
    SigningKey::parse(secret.as_ref()).err()
}

/// REQ 6.
#[test]
fn key_under_32_bytes_is_rejected() {
    assert_eq!(error(""), Some(SigningKeyError::TooShort));
    assert_eq!(error("secret"), Some(SigningKeyError::TooShort));
    assert_eq!(error(&RANDOM_BASE64[..31]), Some(SigningKeyError::TooShort));
    assert_eq!(error(&RANDOM_BASE64[..32]), None);
}

/// REQ 6.
#[test]
fn known_samples_and_words_are_rejected() {
    for known in [
        "your-256-bit-secret-your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long",
        "A-String-Secret-At-Least-256-Bits-Long!!",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "my-super-secret-jwt-signing-key-for-production",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "reallyreallyreallyreallyverysafe",
        "secretsecretsecretsecretsecretsecret",
        "secret00000000000000000000000000",
        "secretxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "changeme changeme changeme changeme",
        "ChangeMe-ChangeMe-ChangeMe-1234567890",
        "password1234567890password1234567890",
        "P@ssw0rdP@$$w0rdPassw0rd!2024!!!!!",
        "please change this secret in production!",
        "rollbook-rollbook-rollbook-2026-01",
    ] {
        assert_eq!(error(known), Some(SigningKeyError::Known), "{known}");
    }
}

/// REQ 6.
#[test]
fn uniform_keys_are_rejected() {
    for uniform in ["a".repeat(64), "0".repeat(32), "abc".repeat(20), "abcdefg".repeat(5), "\0".repeat(32)] {
        assert_eq!(error(&uniform), Some(SigningKeyError::TooUniform), "{uniform:?}");
    }
}

/// REQ 6.
#[test]
fn repeated_short_pattern_is_rejected() {
    for pattern in ["8Kq2vXw9", "8Kq2vXw9Lm4R", &RANDOM_BASE64[..20]] {
        let repeated = &pattern.repeat(5)[..pattern.len() * 5 - 3];
        assert_eq!(error(repeated), Some(SigningKeyError::Repeated), "{repeated}");
    }
}

/// REQ 6.
#[test]
fn sequences_are_rejected() {
    let ascending: Vec<u8> = (0..32).collect();
    assert_eq!(error(ascending), Some(SigningKeyError::Sequence));
    for run in [
        "abcdefghijklmnopqrstuvwxyz012345",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
        "ABCDEFGHIJKLMNOPabcdefghijklmnop",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,",
        "asdfghjkl;zxcvbnm,./1234567890-=",
        "aabbccddeeffgghhiijjkkllmmnnooppqq",
    ] {
        assert_eq!(error(run), Some(SigningKeyError::Sequence), "{run}");
    }
}

/// REQ 8.
#[test]
fn asymmetric_key_as_hmac_secret_is_rejected() {
    let ed25519_public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let mut rsa = vec![0x30, 0x82, 0x01, 0x22];
    rsa.extend((0..0x122_u32).map(|i| u8::try_from(i * 131 % 251).unwrap()));
    assert_eq!(error(rsa), Some(SigningKeyError::Asymmetric));
    for asymmetric in [
        &format!("-----BEGIN PUBLIC KEY-----\n{ed25519_public}\n-----END PUBLIC KEY-----\n"),
        &format!("\n-----BEGIN PRIVATE KEY-----\n{ed25519_public}\n-----END PRIVATE KEY-----\n"),
        ed25519_public,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    ] {
        assert_eq!(error(asymmetric), Some(SigningKeyError::Asymmetric), "{asymmetric}");
    }
}

/// REQ 6.
#[test]
fn random_keys_in_any_encoding_are_accepted() {
    for random in [RANDOM_BASE64, RANDOM_HEX, &format!("{RANDOM_HEX}{RANDOM_BASE64}")] {
        assert_eq!(error(random), None, "{random}");
    }
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..32).map(|_| random.byte()).collect();
        let hex = bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        let base64 = URL_SAFE_NO_PAD.encode(&bytes);
        for key in [&bytes[..], &hex.as_bytes()[..32], hex.as_bytes(), &base64.as_bytes()[..32], base64.as_bytes()] {
            assert_eq!(error(key), None, "{}", key.escape_ascii());
        }
    }
}

/// REQ 6.
#[test]
fn key_error_names_openssl_command_and_omits_key() {
    for wrong in ["secret", "changeme-changeme-changeme-changeme", "-----BEGIN"] {
        let message = error(wrong).unwrap().to_string();
        assert!(message.contains("openssl rand -base64 48"), "{message}");
        assert!(!message.contains(wrong), "{message}");
    }
}

#[test]
fn generated_key_round_trips_as_text() {
    let key = SigningKey::generate(&Counting).unwrap();
    assert_eq!(key.expose(), b"BwwRFhsgJSovNDk-Q0hNUldcYWZrcHV6f4SJjpOYnaI");
    let read = SigningKey::parse(key.expose()).map_err(|e| e.to_string()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(read.expose(), key.expose());
}

struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for (byte, value) in bytes.iter_mut().zip((7..).step_by(5)) {
            *byte = value;
        }
        Ok(())
    }
}

/// Repeatable bytes without a pattern (Marsaglia, "Xorshift RNGs").
struct Xorshift(u64);

impl Xorshift {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[2]
    }
}
