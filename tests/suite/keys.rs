//! The key ring of a running server: keys, file and published key set.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tests::client::Client;
use tests::program::Program;
use tests::server::{Engine, SECRET, Server};
use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT, signal, stop};

const RING: [&str; 2] = ["--keys", "ring.json"];

async fn keys(installation: &Installation, arguments: &[&str]) -> String {
    let outcome = installation.run(&[&["keys"][..], arguments, &RING].concat(), None).await;
    assert_eq!(outcome.status, Some(0), "{arguments:?}: {outcome:?}");
    outcome.stdout
}

/// Id, algorithm and state of each key.
async fn listed(installation: &Installation) -> Vec<[String; 3]> {
    let list = keys(installation, &["list"]).await;
    let fields = |line: &str| line.split('\t').take(3).map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    list.lines().map(fields).collect()
}

/// Starts a server with the ring and one user.
async fn serve(installation: &Installation) -> Program {
    let server = timeout(TIMEOUT, Program::start(installation.serve_command(&RING))).await.expect("the server starts");
    let create = ["user", "create", "asha", "--password-stdin"];
    let created = installation.run(&create, Some("a long enough pass phrase")).await;
    assert_eq!(created.status, Some(0), "{created:?}");
    server
}

async fn log_in(server: &Program) -> Client {
    server.log_in("asha", "a long enough pass phrase").await
}

/// Key id in the token's header.
fn key_of(client: &Client) -> String {
    jsonwebtoken::decode_header(client.token().unwrap()).unwrap().kid.unwrap()
}

async fn published(server: &Program) -> Vec<Value> {
    let response = server.client(None).get("/.well-known/jwks.json").await;
    assert_eq!(response.header("cache-control"), "public, max-age=60");
    response.expect(200)["keys"].as_array().unwrap().clone()
}

/// Polls until the condition holds. The server checks its file every two seconds.
async fn wait_until<F: Future<Output = bool>>(description: &str, condition: impl Fn() -> F) {
    let result = timeout(TIMEOUT, async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while !condition().await {
            ticks.tick().await;
        }
    });
    result.await.unwrap_or_else(|_| panic!("timeout: {description}"));
}

/// REQ 11.
#[tokio::test]
async fn key_set_has_only_public_keys_with_kid_use_and_alg() {
    for (algorithm, kty) in [("EdDSA", "OKP"), ("ES256", "EC")] {
        let installation = Installation::new(Engine::Sqlite);
        installation.migrate().await;
        keys(&installation, &["generate", "--algorithm", algorithm]).await;
        keys(&installation, &["rotate"]).await;
        let server = serve(&installation).await;
        let set = published(&server).await;
        assert_eq!(set.len(), 2, "the announced key is published");
        let ids: BTreeSet<_> = set.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, listed(&installation).await.into_iter().map(|[id, ..]| id).collect());
        assert!(ids.contains(&key_of(&log_in(&server).await)));
        for key in &set {
            assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&kty.into(), &algorithm.into(), &"sig".into()));
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            let allowed = ["kid", "kty", "crv", "alg", "use", "x", "y"];
            assert!(members.iter().all(|member| allowed.contains(member)), "no private members: {members:?}");
        }
        stop(server).await;
    }
}

/// REQ 11.
#[tokio::test]
async fn key_set_is_empty_with_hs256() {
    let server = Server::start(Engine::Sqlite).await;
    let response = server.anonymous().get("/.well-known/jwks.json").await;
    assert_eq!(response.expect(200), serde_json::json!({"keys": []}));
    let installation = Installation::new(Engine::Sqlite);
    keys(&installation, &["generate"]).await;
    let server = serve(&installation).await;
    assert_eq!(published(&server).await, Vec::<Value>::new());
    log_in(&server).await.get("/me").await.expect(200);
    stop(server).await;
}

/// REQ 11.
#[tokio::test]
async fn rotation_and_revocation_apply_without_restart() {
    let installation = Installation::new(Engine::Sqlite);
    keys(&installation, &["generate", "--algorithm", "EdDSA"]).await;
    let server = serve(&installation).await;
    let old = log_in(&server).await;
    keys(&installation, &["rotate", "--algorithm", "ES256", "--announce", "0s"]).await;
    // Without SIGHUP: the server detects the change by polling.
    wait_until("the new key is published", || async { published(&server).await.len() == 2 }).await;
    let new = log_in(&server).await;
    let [[first, _, verifying], [second, algorithm, signing]] = listed(&installation).await.try_into().unwrap();
    assert_eq!([verifying, algorithm, signing], ["verifying", "ES256", "signing"]);
    assert_eq!((key_of(&old), key_of(&new)), (first.clone(), second));
    old.get("/me").await.expect(200);
    new.get("/me").await.expect(200);
    keys(&installation, &["retire", &first, "--revoke"]).await;
    signal(&server.process, Signal::HUP);
    wait_until("the old key is rejected", || async { old.get("/me").await.status == 401 }).await;
    new.get("/me").await.expect(200);
    assert_eq!(published(&server).await.len(), 1);
    stop(server).await;
}

/// REQ 11.
#[tokio::test]
async fn invalid_key_file_is_logged_and_old_ring_stays_in_use() {
    let installation = Installation::new(Engine::Sqlite);
    keys(&installation, &["generate", "--algorithm", "EdDSA"]).await;
    let server = serve(&installation).await;
    let client = log_in(&server).await;
    let path = installation.data("").with_file_name("ring.json");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    signal(&server.process, Signal::HUP);
    wait_until("the error is logged", || async { installation.log().contains("cannot reload the key ring") }).await;
    client.get("/me").await.expect(200);
    log_in(&server).await.get("/me").await.expect(200);
    fs::write(&path, &whole).unwrap();
    signal(&server.process, Signal::HUP);
    wait_until("the ring is reloaded", || async { installation.log().contains("reloaded the key ring") }).await;
    client.get("/me").await.expect(200);
    let log = installation.log();
    let private: Value = serde_json::from_str(&whole).unwrap();
    assert!(!log.contains(private["keys"][0]["private_key"].as_str().unwrap()));
    assert!(!log.contains(client.token().unwrap()));
    stop(server).await;
}

/// REQ 11.
#[tokio::test]
async fn key_file_is_private_and_unsafe_changes_are_rejected() {
    use std::os::unix::fs::PermissionsExt;
    let installation = Installation::new(Engine::Sqlite);
    keys(&installation, &["generate", "--algorithm", "ES256"]).await;
    installation.migrate().await;
    keys(&installation, &["rotate"]).await;
    let path = installation.data("").with_file_name("ring.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&path).unwrap();
    let [[signing, ..], [announced, ..]] = listed(&installation).await.try_into().unwrap();
    for (arguments, expected) in [
        (&["generate"][..], "already exists"),
        (&["rotate"], &announced),
        (&["rotate", "--announce", "1s"], &signing),
        (&["rotate", "--algorithm", "none"], "HS256, EdDSA or ES256"),
        (&["rotate", "--announce", "4000d"], "3650 days"),
        (&["retire", "unknown"], "rollbook keys list"),
        (&["retire", &signing], "--revoke"),
    ] {
        let rejected = installation.run(&[&["keys"][..], arguments, &RING].concat(), None).await;
        assert!(matches!(rejected.status, Some(1 | 2)), "{arguments:?}: {rejected:?}");
        let is_one_line = rejected.stderr.lines().count() == 1;
        assert!(is_one_line && rejected.stderr.contains(expected), "{arguments:?}: {rejected:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    let without_ring = installation.run(&["keys", "list"], None).await;
    assert!(without_ring.stderr.contains("ROLLBOOK_KEYS"), "{without_ring:?}");
}

/// REQ 11.
#[tokio::test]
async fn key_ring_with_secret_prevents_start() {
    let installation = Installation::new(Engine::Sqlite);
    keys(&installation, &["generate"]).await;
    let serve = [&["serve", "--listen", "127.0.0.1:0"], &RING[..]].concat();
    let mut variable = installation.command(&serve[..3]);
    variable.env("ROLLBOOK_JWT_SECRET", SECRET).env("ROLLBOOK_KEYS", "ring.json");
    let file = installation.command(&[&serve[..], &["--jwt-secret-file", "x"]].concat());
    let demo = installation.command(&[&serve[..], &["--demo"]].concat());
    let truncated = installation.command(&["serve", "--listen", "127.0.0.1:0", "--keys", "Truncated.json"]);
    fs::write(installation.data("").with_file_name("Truncated.json"), "{\"version\": 1, \"ke").unwrap();
    for (command, expected) in [
        (variable, "set only one of --keys and ROLLBOOK_JWT_SECRET"),
        (file, "set only one of --keys and --jwt-secret-file"),
        (demo, "omit --keys"),
        (truncated, "Truncated.json is invalid"),
    ] {
        let outcome = timeout(TIMEOUT, tests::program::outcome(command)).await.expect("the program exits");
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains(expected) && outcome.stderr.lines().count() == 1, "{outcome:?}");
        assert!(!outcome.stderr.contains(SECRET));
    }
}
