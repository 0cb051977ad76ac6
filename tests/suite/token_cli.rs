//! `rollbook token`: tokens judged and read at the command line, without a store.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tests::program::Outcome;
use tests::server::Engine;
use tokio::time::timeout;

use crate::installation::{Installation, SOON, stop};

const SIGNED_WITH_EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const ED25519: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A token of a server with a ring in `ring.json`, and the set that it published, in `jwks.json`.
async fn token_and_set(installation: &Installation) -> String {
    let made = installation.run(&["keys", "generate", "--keys", "ring.json", "--algorithm", "ES256"], None).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    let command = installation.serving(&["--keys", "ring.json"]);
    let server = timeout(SOON, tests::program::Program::start(command)).await.unwrap();
    let admin = server.log_in("admin", &installation.admin_password()).await;
    let set = server.client(None).get("/.well-known/jwks.json").await.text();
    fs::write(installation.data("").with_file_name("jwks.json"), set).unwrap();
    stop(server).await;
    admin.token().unwrap().to_owned()
}

#[track_caller]
fn assert_verdict(outcome: &Outcome, status: i32, lines: &[&str]) {
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    let told: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(told.len(), lines.len(), "{outcome:?}");
    for (told, wanted) in told.iter().zip(lines) {
        assert!(told.starts_with(wanted), "{wanted}: {outcome:?}");
    }
}

#[tokio::test]
async fn tokens_are_judged_by_a_ring_or_a_set_and_each_verdict_has_its_reason() {
    let installation = Installation::new(Engine::Sqlite);
    let token = token_and_set(&installation).await;
    for source in [["--keys", "ring.json"], ["--jwks", "jwks.json"]] {
        let verify = [&["token", "verify"], &source[..]].concat();
        assert_verdict(&installation.run(&verify, Some(&token)).await, 0, &["good\tuser 1, until "]);
        let lines = format!("{token}\ngarbage\n\n{token}x");
        let wanted = ["good\t", "refused\tthe token is not three parts", "refused\tthe token is not", "refused\t"];
        let judged = installation.run(&verify, Some(&lines)).await;
        assert_verdict(&judged, 1, &wanted);
        assert_eq!(judged.stderr, "rollbook: refused 3 of 4\n");
        for (more, why) in [
            (["--at", "2100-01-01T00:00:00Z"], "refused\tthe token has expired"),
            (["--issuer", "somebody"], "refused\tthe token was issued by somebody else"),
            (["--audience", "somebody"], "refused\tthe token is meant for somebody else"),
        ] {
            assert_verdict(&installation.run(&[&verify[..], &more].concat(), Some(&token)).await, 1, &[why]);
        }
    }
}

#[tokio::test]
async fn raw_mode_judges_the_standards_own_vectors() {
    let installation = Installation::new(Engine::Sqlite);
    fs::write(installation.data("").with_file_name("set.json"), ED25519).unwrap();
    let verify = ["token", "verify", "--raw", "--jwks", "set.json"];
    assert_verdict(&installation.run(&verify, Some(SIGNED_WITH_EDDSA)).await, 0, &["good\t"]);
    let changed = SIGNED_WITH_EDDSA.replace(".RX", ".RY");
    assert_verdict(&installation.run(&verify, Some(&changed)).await, 1, &["refused\tthe token's signature"]);
    let strict = ["token", "verify", "--jwks", "set.json"];
    assert_verdict(&installation.run(&strict, Some(SIGNED_WITH_EDDSA)).await, 1, &["refused\tthe token's type"]);
    for (arguments, why) in
        [(&["token", "verify"][..], "--jwks FILE"), (&["token", "verify", "--jwks", "none.json"], "none.json")]
    {
        let refused = installation.run(arguments, Some("x")).await;
        assert!(refused.stderr.contains(why) && refused.stderr.lines().count() == 1, "{refused:?}");
    }
    assert!(!installation.data("").exists(), "no store is needed");
}

#[tokio::test]
async fn a_token_is_explained_with_its_times_in_words_and_without_its_signature() {
    let installation = Installation::new(Engine::Sqlite);
    let [header, claims] =
        [r#"{"alg":"none"}"#, r#"{"exp":1795457626,"nbf":0,"a":"\u009b"}"#].map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = format!("{header}.{claims}.c2ln");
    let token = token.as_str();
    let told = installation.run(&["token", "explain", "--at", "1795457600"], Some(token)).await;
    assert_eq!(told.status, Some(0), "{told:?}");
    for wanted in ["\"alg\": \"none\"", "1795457626 (2026-11-23T18:13:46Z, in 26s)", "1970-01-01T00:00:00Z, ", " ago)"]
    {
        assert!(told.stdout.contains(wanted), "{wanted}: {told:?}");
    }
    assert!(!told.stdout.contains("c2ln") && !told.stdout.contains('\u{9b}'), "{told:?}");
    let garbage = installation.run(&["token", "explain"], Some("garbage")).await;
    assert!(garbage.stdout.starts_with("not to be read: "), "{garbage:?}");
}
