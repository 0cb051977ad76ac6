//! Our tokens in other people's libraries.

use std::io::Write;
use std::process::{Command, Stdio};

use domain::user::Role;
use serde_json::Value;
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

#[tokio::test]
async fn pyjwt_decodes_our_token_with_the_shared_key() {
    let server = Server::start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let mut python = Command::new("python3")
        .args(["-c", DECODE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("needs python3 with PyJWT");
    write!(python.stdin.take().unwrap(), "{SECRET} {}", token_of(&user)).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let claims: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(claims["user_id"], user.id.get());
    assert_eq!(claims["sub"], user.id.to_string());
}
