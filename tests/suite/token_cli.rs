//! `rollbook token …`: verifies and decodes tokens without a store.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tests::program::Outcome;
use tests::server::Engine;
use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT, stop};

/// RFC 8037, appendix A.4.
const SIGNED_WITH_EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// Public key of RFC 8037, appendix A.2.
const ED25519: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Returns a token of a server with the key ring `ring.json`; saves the published key set to `jwks.json`.
async fn token_and_set(installation: &Installation) -> String {
    let generated = installation.run(&["keys", "generate", "--keys", "ring.json", "--algorithm", "ES256"], None).await;
    assert_eq!(generated.status, Some(0), "{generated:?}");
    let command = installation.serve_command(&["--keys", "ring.json"]);
    let server = timeout(TIMEOUT, tests::program::Program::start(command)).await.unwrap();
    let admin = server.log_in("admin", &installation.admin_password()).await;
    let set = server.client(None).get("/.well-known/jwks.json").await.text();
    fs::write(installation.data("").with_file_name("jwks.json"), set).unwrap();
    stop(server).await;
    admin.token().unwrap().to_owned()
}

#[track_caller]
fn assert_verdict(outcome: &Outcome, status: i32, lines: &[&str]) {
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    let printed: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(printed.len(), lines.len(), "{outcome:?}");
    for (line, expected) in printed.iter().zip(lines) {
        assert!(line.starts_with(expected), "{expected}: {outcome:?}");
    }
}

#[tokio::test]
async fn verify_prints_reason_for_key_ring_and_key_set() {
    let installation = Installation::new(Engine::Sqlite);
    let token = token_and_set(&installation).await;
    for source in [["--keys", "ring.json"], ["--jwks", "jwks.json"]] {
        let verify = [&["token", "verify"], &source[..]].concat();
        assert_verdict(&installation.run(&verify, Some(&token)).await, 0, &["valid\tuser 1, expires at "]);
        let lines = format!("{token}\ngarbage\n\n{token}x");
        let expected =
            ["valid\t", "rejected\tthe token is not three parts", "rejected\tthe token is not", "rejected\t"];
        let verified = installation.run(&verify, Some(&lines)).await;
        assert_verdict(&verified, 1, &expected);
        assert_eq!(verified.stderr, "rollbook: rejected 3 of 4 tokens\n");
        for (options, expected) in [
            (["--at", "2100-01-01T00:00:00Z"], "rejected\tthe token has expired"),
            (["--issuer", "other"], "rejected\tthe token has another issuer"),
            (["--audience", "other"], "rejected\tthe token has another audience"),
        ] {
            assert_verdict(&installation.run(&[&verify[..], &options].concat(), Some(&token)).await, 1, &[expected]);
        }
    }
}

#[tokio::test]
async fn raw_verification_accepts_rfc_8037_test_vector() {
    let installation = Installation::new(Engine::Sqlite);
    fs::write(installation.data("").with_file_name("set.json"), ED25519).unwrap();
    let verify = ["token", "verify", "--raw", "--jwks", "set.json"];
    assert_verdict(&installation.run(&verify, Some(SIGNED_WITH_EDDSA)).await, 0, &["valid\t"]);
    fs::write(installation.data("").with_file_name("enc.json"), ED25519.replace("\"kty\"", "\"use\":\"enc\",\"kty\""))
        .unwrap();
    let other_use = ["token", "verify", "--raw", "--jwks", "enc.json"];
    let rejected = installation.run(&other_use, Some(SIGNED_WITH_EDDSA)).await;
    assert_verdict(&rejected, 1, &["rejected\tthe token's key is not for signatures: its use is not sig"]);
    fs::write(installation.data("").with_file_name("mark.json"), format!("\u{feff}{ED25519}\r\n")).unwrap();
    let with_mark = ["token", "verify", "--raw", "--jwks", "mark.json"];
    assert_verdict(&installation.run(&with_mark, Some(SIGNED_WITH_EDDSA)).await, 0, &["valid\t"]);
    let changed = SIGNED_WITH_EDDSA.replace(".RX", ".RY");
    assert_verdict(&installation.run(&verify, Some(&changed)).await, 1, &["rejected\tthe token's signature"]);
    let strict = ["token", "verify", "--jwks", "set.json"];
    assert_verdict(&installation.run(&strict, Some(SIGNED_WITH_EDDSA)).await, 1, &["rejected\tthe token's type"]);
    for (arguments, expected) in
        [(&["token", "verify"][..], "--jwks FILE"), (&["token", "verify", "--jwks", "none.json"], "none.json")]
    {
        let rejected = installation.run(arguments, Some("x")).await;
        assert!(rejected.stderr.contains(expected) && rejected.stderr.lines().count() == 1, "{rejected:?}");
    }
    assert!(!installation.data("").exists(), "no store is created");
}

#[tokio::test]
async fn decode_prints_times_as_dates_and_no_signature() {
    let installation = Installation::new(Engine::Sqlite);
    let [header, claims] =
        [r#"{"alg":"none"}"#, r#"{"exp":1795457626,"nbf":0,"a":"\u009b"}"#].map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = format!("{header}.{claims}.c2ln");
    let token = token.as_str();
    let decoded = installation.run(&["token", "decode", "--at", "1795457600"], Some(token)).await;
    assert_eq!(decoded.status, Some(0), "{decoded:?}");
    let algorithm = "\"alg\": \"none\"";
    for expected in [algorithm, "1795457626 (2026-11-23T18:13:46Z, in 26s)", "1970-01-01T00:00:00Z, ", " ago)"] {
        assert!(decoded.stdout.contains(expected), "{expected}: {decoded:?}");
    }
    assert!(!decoded.stdout.contains("c2ln") && !decoded.stdout.contains('\u{9b}'), "{decoded:?}");
    let garbage = installation.run(&["token", "decode"], Some("garbage")).await;
    assert!(garbage.stdout.starts_with("cannot be decoded: "), "{garbage:?}");
}
