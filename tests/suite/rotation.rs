//! Key rotation on two nodes under load.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::program::Program;
use tests::server::Engine;
use tokio::time::{interval, timeout};

use crate::installation::{Installation, TIMEOUT, signal, stop};

const RING: [&str; 2] = ["--keys", "ring.json"];
const PASSWORD: &str = "slow river under seven bridges";

/// Runs `rollbook keys …`.
async fn keys(installation: &Installation, arguments: &[&str]) {
    let outcome = installation.run(&[&["keys"][..], arguments, &RING].concat(), None).await;
    assert_eq!(outcome.status, Some(0), "{arguments:?}: {outcome:?}");
}

/// The ids of the keys that a node publishes.
async fn published_keys(node: &Program) -> Vec<String> {
    let set = node.client(None).get("/.well-known/jwks.json").await.expect(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn key_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn wait_until<F: Future<Output = bool>>(description: &str, condition: impl Fn() -> F) {
    let result = timeout(TIMEOUT, async {
        let mut retry = interval(Duration::from_millis(20));
        while !condition().await {
            retry.tick().await;
        }
    });
    result.await.unwrap_or_else(|_| panic!("timeout: {description}"));
}

const CLIENTS: usize = 4;

/// State that the clients and the test share.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    /// Number of responses of each status.
    responses: Mutex<BTreeMap<u16, u64>>,
    /// The key of each client's current token.
    keys: Mutex<[String; CLIENTS]>,
}

impl Load {
    /// Sends requests to both nodes in turn and refreshes the token after every 20 requests.
    async fn client(&self, number: usize, nodes: &[Program; 2]) {
        let credentials = json!({"Username": "asha", "Password": PASSWORD});
        let mut grant = nodes[0].client(None).send("POST", "/login", &credentials).await.expect(200);
        while !self.is_over.load(Ordering::Relaxed) {
            let token = grant["token"].as_str().map(str::to_owned);
            self.keys.lock().unwrap()[number] = key_of(token.as_deref().unwrap());
            let clients = nodes.each_ref().map(|node| node.client(token.clone()));
            for i in 0..20 {
                let status = clients[i % 2].get("/me").await.status;
                *self.responses.lock().unwrap().entry(status.as_u16()).or_default() += 1;
            }
            grant = refresh(&nodes[1], &grant).await;
        }
    }
}

async fn refresh(node: &Program, grant: &Value) -> Value {
    let body = json!({"refresh_token": grant["refresh_token"]});
    node.client(None).send("POST", "/token/refresh", &body).await.expect(200)
}

/// Rotates to a new key and waits until both nodes publish it and the second node signs with it. Returns a token of the
/// previous key.
async fn rotate(installation: &Installation, nodes: &[Program; 2], algorithm: &str) -> String {
    let old = nodes[0].log_in("asha", PASSWORD).await.token().unwrap().to_owned();
    let count = published_keys(&nodes[0]).await.len();
    keys(installation, &["rotate", "--algorithm", algorithm, "--announce", "6s"]).await;
    for node in nodes {
        signal(&node.process, Signal::HUP);
    }
    wait_until("both nodes publish the new key", || async {
        let (a, b) = join(published_keys(&nodes[0]), published_keys(&nodes[1])).await;
        a == b && a.len() == count + 1
    })
    .await;
    wait_until("the new key signs", || async {
        key_of(nodes[1].log_in("asha", PASSWORD).await.token().unwrap()) != key_of(&old)
    })
    .await;
    old
}

/// REQ 11.
#[tokio::test]
async fn rotation_under_load_keeps_valid_and_rejects_revoked_tokens() {
    let installation = Installation::new(Engine::Postgres);
    keys(&installation, &["generate", "--algorithm", "EdDSA"]).await;
    let start = || async {
        let mut command = installation.serve_command(&RING);
        // The load opens more sessions than the default limit.
        command.env("ROLLBOOK_MAX_SESSIONS", "10000").env_remove("ROLLBOOK_JWT_SECRET");
        timeout(TIMEOUT, Program::start(command)).await.expect("the server starts")
    };
    let nodes = [start().await, start().await];
    let added = installation.run(&["user", "create", "asha", "--password-stdin"], Some(PASSWORD)).await;
    assert_eq!(added.status, Some(0), "{added:?}");

    let load = Load::default();
    let schedule = async {
        let first = rotate(&installation, &nodes, "ES256").await;
        let second = rotate(&installation, &nodes, "EdDSA").await;
        // The first two keys are revoked only when every client has a token of the third key.
        wait_until("every client has a token of the new key", || async {
            let keys = load.keys.lock().unwrap();
            ![&first, &second].iter().any(|old| keys.contains(&key_of(old)))
        })
        .await;
        for old in [&first, &second] {
            nodes[1].client(Some(old.clone())).get("/me").await.expect(200);
            keys(&installation, &["retire", &key_of(old), "--revoke"]).await;
        }
        for node in &nodes {
            signal(&node.process, Signal::HUP);
        }
        wait_until("both nodes have read the ring", || async {
            let (a, b) = join(published_keys(&nodes[0]), published_keys(&nodes[1])).await;
            a == b && a.len() == 1
        })
        .await;
        for _ in 0..100 {
            for (node, old) in [(&nodes[0], &first), (&nodes[1], &first), (&nodes[0], &second), (&nodes[1], &second)] {
                assert_eq!(node.client(Some(old.clone())).get("/me").await.status, 401, "token of a revoked key");
            }
        }
        load.is_over.store(true, Ordering::Relaxed);
    };
    join(join_all((0..CLIENTS).map(|number| load.client(number, &nodes))), schedule).await;
    let responses = load.responses.into_inner().unwrap();
    println!("responses to requests with valid tokens, by status: {responses:?}");
    assert!(responses.keys().eq([&200]), "{responses:?}");
    let [a, b] = nodes;
    stop(a).await;
    stop(b).await;
}
