//! Keys that change under load, on two nodes: no good token is refused, and none of a revoked key is taken.

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

/// The keys that a node publishes.
async fn published(node: &Program) -> Vec<String> {
    let set = node.client(None).get("/.well-known/jwks.json").await.expect(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn key_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waited = timeout(TIMEOUT, async {
        let mut again = interval(Duration::from_millis(20));
        while !is_so().await {
            again.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

const CLIENTS: usize = 4;

/// What the clients do and have seen.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    /// How many answers there were of each status.
    answers: Mutex<BTreeMap<u16, u64>>,
    /// The key of the token that each client works with.
    keys: Mutex<[String; CLIENTS]>,
}

impl Load {
    /// Works on both nodes in turn with one session, whose token is renewed every 20 requests.
    async fn client(&self, number: usize, nodes: &[Program; 2]) {
        let credentials = json!({"Username": "asha", "Password": PASSWORD});
        let mut answer = nodes[0].client(None).send("POST", "/login", &credentials).await.expect(200);
        while !self.over.load(Ordering::Relaxed) {
            let token = answer["token"].as_str().map(str::to_owned);
            self.keys.lock().unwrap()[number] = key_of(token.as_deref().unwrap());
            let clients = nodes.each_ref().map(|node| node.client(token.clone()));
            for i in 0..20 {
                let status = clients[i % 2].get("/me").await.status;
                *self.answers.lock().unwrap().entry(status.as_u16()).or_default() += 1;
            }
            answer = refreshed(&nodes[1], &answer).await;
        }
    }
}

async fn refreshed(node: &Program, answer: &Value) -> Value {
    let body = json!({"refresh_token": answer["refresh_token"]});
    node.client(None).send("POST", "/token/refresh", &body).await.expect(200)
}

/// Announces a key, waits until both nodes know it, and until it signs; answers a token of the key before.
async fn rotate(installation: &Installation, nodes: &[Program; 2], algorithm: &str) -> String {
    let old = nodes[0].log_in("asha", PASSWORD).await.token().unwrap().to_owned();
    let known = published(&nodes[0]).await.len();
    keys(installation, &["rotate", "--algorithm", algorithm, "--announce", "6s"]).await;
    for node in nodes {
        signal(&node.process, Signal::HUP);
    }
    until("both nodes know the new key", || async {
        let (a, b) = join(published(&nodes[0]), published(&nodes[1])).await;
        a == b && a.len() == known + 1
    })
    .await;
    until("the new key signs", || async {
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
        let mut serving = installation.serving(&RING);
        serving.env_remove("ROLLBOOK_JWT_SECRET");
        timeout(TIMEOUT, Program::start(serving)).await.expect("a start")
    };
    let nodes = [start().await, start().await];
    let added = installation.run(&["user", "create", "asha", "--password-stdin"], Some(PASSWORD)).await;
    assert_eq!(added.status, Some(0), "{added:?}");

    let load = Load::default();
    let schedule = async {
        let first = rotate(&installation, &nodes, "ES256").await;
        let second = rotate(&installation, &nodes, "EdDSA").await;
        // The tokens at work are of the third key before the first two are revoked.
        until("every client has a token of the new key", || async {
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
        until("both nodes have read the ring", || async {
            let (a, b) = join(published(&nodes[0]), published(&nodes[1])).await;
            a == b && a.len() == 1
        })
        .await;
        for _ in 0..100 {
            for (node, old) in [(&nodes[0], &first), (&nodes[1], &first), (&nodes[0], &second), (&nodes[1], &second)] {
                assert_eq!(node.client(Some(old.clone())).get("/me").await.status, 401, "a revoked key's token");
            }
        }
        load.over.store(true, Ordering::Relaxed);
    };
    join(join_all((0..CLIENTS).map(|number| load.client(number, &nodes))), schedule).await;
    let answers = load.answers.into_inner().unwrap();
    println!("requests with good tokens were answered, by status: {answers:?}");
    assert!(answers.keys().eq([&200]), "{answers:?}");
    let [a, b] = nodes;
    stop(a).await;
    stop(b).await;
}
