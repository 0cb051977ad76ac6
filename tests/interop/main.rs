//! Our tokens in other people's libraries.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's own steps, too, may fail only by panicking")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use domain::user::Role;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::program::{self, Program};
use tests::server::{Engine, SECRET, Server, token_of};

const DECODE: &str = "
import json, sys
try:
    import jwt
except ImportError:
    sys.exit('needs PyJWT (pip install PyJWT)')
key, token = sys.stdin.read().split()
print(json.dumps(jwt.decode(token, key, algorithms=['HS256'], audience='rollbook', issuer='rollbook')))
";

/// Runs a script on what it reads; what it prints as JSON.
fn python(script: &str, input: &str) -> Value {
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("needs python3 with PyJWT");
    write!(python.stdin.take().unwrap(), "{input}").unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn pyjwt_decodes_our_token_with_the_shared_key() {
    let server = Server::start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let claims = python(DECODE, &format!("{SECRET} {}", token_of(&user)));
    assert_eq!(claims["user_id"], user.id.get());
    assert_eq!(claims["sub"], user.id.to_string());
}

const DECODE_BY_SET: &str = "
import json, sys
try:
    import jwt, cryptography
except ImportError:
    sys.exit('needs PyJWT and cryptography (pip install PyJWT cryptography)')
given = json.load(sys.stdin)
key = jwt.PyJWKSet.from_dict(given['set'])[jwt.get_unverified_header(given['token'])['kid']]
print(json.dumps(jwt.decode(given['token'], key, audience='rollbook', issuer='rollbook')))
";

#[tokio::test]
async fn req_11_pyjwt_verifies_our_tokens_by_the_published_set() {
    for algorithm in ["EdDSA", "ES256"] {
        let home = TempDir::new().unwrap();
        let made =
            program::run(home.path(), &["keys", "generate", "--keys", "ring.json", "--algorithm", algorithm]).await;
        assert_eq!(made.status, Some(0), "{made:?}");
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--keys", "ring.json"];
        let server = Program::start(program::command(home.path(), &arguments)).await;
        let password = fs::read_to_string(home.path().join("rollbook-data/initial-admin-password")).unwrap();
        let admin = server.log_in("admin", password.trim_end()).await;
        let set = server.client(None).get("/.well-known/jwks.json").await.expect(200);
        assert_eq!(set["keys"][0]["alg"], algorithm);
        let given = json!({"set": set, "token": admin.token().unwrap()});
        let claims = python(DECODE_BY_SET, &given.to_string());
        assert_eq!(claims["sub"], admin.get("/me").await.expect(200)["id"].to_string());
    }
}
