//! Audit events of rejected tokens and requests.

use std::collections::BTreeSet;

use app::http::EdgeConfig;
use domain::access::Role;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::on_each_store;
use tests::server::{Engine, Server, Setup, sign};
use time::Duration;

use crate::installation::on_each_engine;

/// The events with this action after a flush.
async fn events(server: &Server, admin: &Client, action: &str) -> Vec<Value> {
    server.denied_access.flush().await.unwrap();
    let (mut found, mut path) = (Vec::new(), format!("/audit-events?limit=200&action={action}"));
    loop {
        let response = admin.get(&path).await;
        found.extend(response.expect(200)["events"].as_array().unwrap().clone());
        let Some(next) = response.next_page() else { return found };
        path = next;
    }
}

/// Actor, target, detail and count.
fn summaries(events: &[Value]) -> Vec<[&Value; 4]> {
    events.iter().map(|event| ["actor", "target", "detail", "count"].map(|member| &event[member])).collect()
}

on_each_store! {
    /// REQ 22.
    async fn rejected_tokens_are_audited_except_expired_ones(server) {
        let admin = server.client(Role::Admin).await;
        let asha = server.add_user("asha", Role::Viewer).await;
        let mut expired = server.claims_of(&asha).await;
        (expired.issued_at, expired.expires_at) = (expired.issued_at - Duration::HOUR, expired.issued_at);
        server.bearer(sign(&expired)).get("/me").await.expect_problem(401, "unauthorized");
        server.anonymous().get("/me").await.expect_problem(401, "unauthorized");
        assert_eq!(events(&server, &admin, "token.refused").await, [] as [Value; 0]);

        let claims = server.claims_of(&asha).await;
        let token = sign(&claims);
        let other = sign(&expired);
        let [(signed, _), (_, signature)] = [&token, &other].map(|token| token.rsplit_once('.').unwrap());
        let forged = format!("{signed}.{signature}");
        let client = server.bearer(token);
        assert_eq!(client.send("POST", "/logout", &json!({})).await.status, 204);
        for rejected in [&server.bearer(forged), &client] {
            for _ in 0..3 {
                rejected.get("/me").await.expect_problem(401, "unauthorized");
            }
        }
        let recorded = events(&server, &admin, "token.refused").await;
        let (ended, three) = (json!(format!("session:{}", claims.session_id)), json!(3));
        let expected = [
            [&json!("anonymous"), &Value::Null, &json!("the token's signature is invalid"), &three],
            [&json!("anonymous"), &ended, &json!("the token's session has ended"), &three],
        ];
        assert_eq!(summaries(&recorded), expected);
        assert!(recorded.iter().all(|event| event["client"] == "127.0.0.1"));
    }

    /// REQ 22.
    async fn unknown_refresh_tokens_are_audited(server) {
        let admin = server.client(Role::Admin).await;
        for number in 0..2 {
            let unknown = json!({"refresh_token": format!("{number:064}")});
            let refreshed = server.anonymous().send("POST", "/token/refresh", &unknown).await;
            refreshed.expect_problem(401, "invalid-refresh-token");
        }
        let recorded = events(&server, &admin, "refresh.refused").await;
        assert_eq!(summaries(&recorded), [[&json!("anonymous"), &Value::Null, &Value::Null, &json!(2)]]);
    }

    /// REQ 22.
    async fn attempts_to_end_sessions_of_others_are_audited(server) {
        let admin = server.client(Role::Admin).await;
        let ravi = server.add_user("ravi", Role::Viewer).await;
        let other = server.claims_of(&server.add_user("asha", Role::Viewer).await).await;
        let client = server.client_of(&ravi).await;
        for session in [other.session_id.get(), 999] {
            client.delete(&format!("/me/sessions/{session}")).await.expect_problem(404, "record-not-found");
        }
        server.bearer(sign(&other)).get("/me").await.expect(200);
        let recorded = events(&server, &admin, "access.refused").await;
        let actor = json!(format!("user:{}", ravi.id));
        let target = json!(format!("session:{}", other.session_id));
        assert_eq!(summaries(&recorded), [[&actor, &target, &json!("session of another user"), &json!(1)]]);
    }

    /// REQ 22.
    async fn conflicts_with_the_last_administrator_are_audited(server) {
        let root = server.add_user("root", Role::Admin).await;
        let admin = server.client_of(&root).await;
        let path = format!("/users/{}", root.id);
        for change in [json!({"role": "viewer"}), json!({"status": "disabled"})] {
            admin.send("PATCH", &path, &change).await.expect_problem(409, "last-administrator");
        }
        admin.delete(&path).await.expect_problem(409, "last-administrator");
        let recorded = events(&server, &admin, "change.refused").await;
        let root = json!(format!("user:{}", root.id));
        assert_eq!(summaries(&recorded), [[&root, &root, &json!("last active administrator"), &json!(3)]]);
    }
}

/// 10,000 requests from 5,000 addresses, beside 100 denied requests of five users.
async fn flood_merges_no_event_of_a_user(engine: Engine) {
    let proxies = vec!["127.0.0.1/32".parse().unwrap()].into();
    let config = EdgeConfig { proxies, ..Setup::default().config };
    let server = Server::start_with(engine, Setup { config, ..Setup::default() }).await;
    let admin = server.client(Role::Admin).await;
    let mut viewers = Vec::new();
    for name in ["asha", "ravi", "meera", "kiran", "devi"] {
        viewers.push(server.client_of(&server.add_user(name, Role::Viewer).await).await);
    }
    let denied: [(&str, &str); 10] = [
        ("GET", "/users"),
        ("GET", "/users/1"),
        ("PATCH", "/users/1"),
        ("DELETE", "/users/1"),
        ("POST", "/users"),
        ("GET", "/audit-events"),
        ("POST", "/students"),
        ("PUT", "/students/1"),
        ("PATCH", "/students/1"),
        ("DELETE", "/students/1"),
    ];
    let flood = stream::iter(0..10_000_u32).map(|n| {
        let (server, viewers) = (&server, &viewers);
        async move {
            let address = format!("198.{}.{}.{}", 18 + n % 2, n % 5_000 / 250, n % 250);
            let request = server.bearer("a.b.c").request("GET", "/me").header("x-forwarded-for", address);
            assert_eq!(Response::fetch(request).await.status, 401);
            if n % 100 == 99 {
                let (round, viewer) = ((n / 100) as usize, &viewers[(n / 100 % 5) as usize]);
                let (method, path) = denied[round / 5 % 10];
                let request =
                    viewer.request(method, path).header("x-forwarded-for", format!("203.0.113.{}", round / 50));
                assert_eq!(Response::fetch(request).await.status, 403);
            }
        }
    });
    flood.buffer_unordered(16).collect::<()>().await;

    let users = events(&server, &admin, "access.refused").await;
    let whole: BTreeSet<_> =
        users.iter().map(|event| ["actor", "target", "client"].map(|member| event[member].as_str().unwrap())).collect();
    assert_eq!((users.len(), whole.len()), (100, 100));
    assert!(users.iter().all(|event| event["count"] == 1 && event["detail"].is_null()), "{users:?}");

    let tokens = events(&server, &admin, "token.refused").await;
    assert_eq!(tokens.iter().map(|event| event["count"].as_u64().unwrap()).sum::<u64>(), 10_000);
    let merged: Vec<_> = tokens.iter().filter(|event| event["client"].is_null()).collect();
    assert!(tokens.len() < 1_100 && merged.len() == 40, "{} {}", tokens.len(), merged.len());
    assert!(merged.iter().all(|event| event["detail"].as_str().unwrap().contains("; merged by network: 198.")));
}

on_each_engine! {
    flood_merges_no_event_of_a_user
}
