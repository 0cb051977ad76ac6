//! Rollbook's tokens with other JWT libraries, and Rollbook behind reverse proxies.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod proxies;
mod verifier;

use std::fs;

use domain::access::Role;
use serde_json::json;
use tempfile::TempDir;
use tests::program::{self, Program};
use tests::server::{Engine, SECRET, Server};

use verifier::Verifier;

#[tokio::test]
async fn pyjwt_verifies_token_with_shared_key() {
    assert_verifies_with_shared_key(Verifier::PyJwt).await;
}

#[tokio::test]
async fn jose_verifies_token_with_shared_key() {
    assert_verifies_with_shared_key(Verifier::Jose).await;
}

/// REQ 11.
#[tokio::test]
async fn pyjwt_verifies_token_with_published_key_set() {
    assert_verifies_with_published_key_set(Verifier::PyJwt).await;
}

/// REQ 11.
#[tokio::test]
async fn jose_verifies_token_with_published_key_set() {
    assert_verifies_with_published_key_set(Verifier::Jose).await;
}

async fn assert_verifies_with_shared_key(verifier: Verifier) {
    let server = Server::start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let token = server.token_of(&user).await;
    let claims = verifier.claims(&json!({"token": token, "secret": SECRET})).unwrap();
    assert_eq!(claims["user_id"], user.id.get());
    assert_eq!(claims["sub"], user.id.to_string());
    let other_secret = SECRET.to_uppercase();
    verifier.claims(&json!({"token": token, "secret": other_secret})).expect_err("the token of another key");
}

async fn assert_verifies_with_published_key_set(verifier: Verifier) {
    for algorithm in ["EdDSA", "ES256"] {
        let home = TempDir::new().unwrap();
        let generate = ["keys", "generate", "--keys", "ring.json", "--algorithm", algorithm];
        let outcome = program::run(home.path(), &generate).await;
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--keys", "ring.json"];
        let server = Program::start(program::command(home.path(), &arguments)).await;
        let password = fs::read_to_string(home.path().join("rollbook-data/initial-admin-password")).unwrap();
        let admin = server.log_in("admin", password.trim_end()).await;
        let set = server.client(None).get("/.well-known/jwks.json").await.expect(200);
        assert_eq!(set["keys"][0]["alg"], algorithm);
        let token = admin.token().unwrap();
        let claims = verifier.claims(&json!({"token": token, "set": set})).unwrap();
        assert_eq!(claims["sub"], claims["user_id"].to_string());
        // The claims of another token with this signature.
        let other = server.log_in("admin", password.trim_end()).await;
        let [mut parts, others] = [token, other.token().unwrap()].map(|token| token.split('.').collect::<Vec<_>>());
        parts[1] = others[1];
        verifier.claims(&json!({"token": parts.join("."), "set": set})).expect_err("a forged token");
    }
}
