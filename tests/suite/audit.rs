//! The audit events that administrators read.

use domain::access::Role;
use serde_json::{Value, json};
use tests::client::Client;
use tests::on_each_store;
use tests::server::{PASSWORD, Server};

/// The actions of the events that match a query.
async fn actions(client: &Client, query: &str) -> Vec<String> {
    events(client, query).await.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

async fn events(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/audit-events?limit=200{query}")).await.expect(200);
    page["events"].as_array().unwrap().clone()
}

async fn log_in(server: &Server, name: &str, password: &str) -> u16 {
    let credentials = json!({"Username": name, "Password": password});
    server.anonymous().send("POST", "/login", &credentials).await.status.as_u16()
}

on_each_store! {
    /// REQ 22.
    async fn http_changes_are_audited_with_actor_and_address(server) {
        let admin = server.client(Role::Admin).await;
        let id = admin.get("/me").await.expect(200)["id"].clone();
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
        let response = admin.send("POST", "/students", &student).await;
        let location = response.header("location").to_owned();
        let request_id = response.header("x-request-id").to_owned();
        assert_eq!(admin.delete(&location).await.status, 204);
        let new = json!({"username": "ravi", "password": PASSWORD, "role": "viewer"});
        let ravi = admin.send("POST", "/users", &new).await.expect(201)["id"].clone();
        admin.send("POST", &format!("/users/{ravi}/password-reset"), &json!({})).await.expect(200);

        let own = format!("&actor=user:{id}");
        let expected =
            ["session.opened", "student.created", "student.deleted", "user.created", "password.reset"];
        assert_eq!(actions(&admin, &own).await, expected);
        let created = &events(&admin, "&action=student.created").await[0];
        let target = location.replace("/students/", "student:");
        assert_eq!((&created["target"], &created["count"]), (&json!(target), &json!(1)));
        assert_eq!((&created["request_id"], &created["client"]), (&json!(request_id), &json!("127.0.0.1")));
        assert_eq!(actions(&admin, &format!("&target={target}")).await, ["student.created", "student.deleted"]);
        let at = created["at"].as_str().unwrap();
        assert_eq!(actions(&admin, &format!("{own}&since={at}")).await, expected[1..]);
        assert_eq!(actions(&admin, &format!("{own}&before={at}")).await, expected[..1]);
    }

    /// REQ 22.
    async fn logins_are_audited_without_unknown_usernames(server) {
        let admin = server.client(Role::Admin).await;
        let asha = server.add_user("asha", Role::Viewer).await;
        assert_eq!(log_in(&server, "asha", PASSWORD).await, 200);
        for _ in 0..3 {
            assert_eq!(log_in(&server, "asha", "a wrong pass phrase").await, 401);
            assert_eq!(log_in(&server, "hunter2-typed-into-the-name", PASSWORD).await, 401);
        }
        assert_eq!(actions(&admin, "&action=login.refused").await, [] as [&str; 0], "not written before the flush");
        server.denied_access.flush().await.unwrap();
        assert_eq!(actions(&admin, &format!("&actor=user:{}", asha.id)).await, ["session.opened"]);
        let failed = events(&admin, "&action=login.refused").await;
        let audited: Vec<_> = failed.iter().map(|event| (&event["target"], &event["count"])).collect();
        assert_eq!(audited, [(&json!(format!("user:{}", asha.id)), &json!(3)), (&Value::Null, &json!(3))]);
        assert!(failed.iter().all(|event| event["actor"] == "anonymous" && event["client"] == "127.0.0.1"));
        assert!(!admin.get("/audit-events?limit=200").await.text().contains("hunter2"));
    }

    /// REQ 22.
    async fn wrong_current_password_is_audited_as_failed_login(server) {
        let admin = server.client(Role::Admin).await;
        let asha = server.add_user("asha", Role::Viewer).await;
        let client = server.client_of(&asha).await;
        for _ in 0..3 {
            let change = json!({"current_password": "a wrong pass phrase", "new_password": "slow river under bridges"});
            client.send("PUT", "/me/password", &change).await.expect_problem(422, "invalid-fields");
        }
        server.denied_access.flush().await.unwrap();
        let failed = events(&admin, "&action=login.refused").await;
        let audited: Vec<_> = failed.iter().map(|event| (&event["actor"], &event["target"], &event["count"])).collect();
        let asha = json!(format!("user:{}", asha.id));
        assert_eq!(audited, [(&asha, &asha, &json!(3))]);
    }

    /// REQ 22.
    async fn denied_requests_are_audited_and_aggregated(server) {
        let admin = server.client(Role::Admin).await;
        let viewer = server.client(Role::Viewer).await;
        let id = viewer.get("/me").await.expect(200)["id"].clone();
        for _ in 0..4 {
            viewer.get("/users").await.expect_problem(403, "insufficient-role");
        }
        viewer.get("/audit-events").await.expect_problem(403, "insufficient-role");
        server.denied_access.flush().await.unwrap();
        let denied = events(&admin, "&action=access.refused").await;
        let audited: Vec<_> = denied.iter().map(|event| (&event["actor"], &event["target"], &event["count"])).collect();
        let viewer = json!(format!("user:{id}"));
        let [users, audit] = [json!("operation:listUsers"), json!("operation:listAuditEvents")];
        assert_eq!(audited, [(&viewer, &users, &json!(4)), (&viewer, &audit, &json!(1))]);
        server.denied_access.flush().await.unwrap();
        assert_eq!(events(&admin, "&action=access.refused").await.len(), 2);
    }

    async fn audit_events_cannot_be_changed_or_deleted(server) {
        let admin = server.client(Role::Admin).await;
        let before = admin.get("/audit-events").await.expect(200);
        for (method, path) in [
            ("DELETE", "/audit-events"),
            ("PUT", "/audit-events"),
            ("PATCH", "/audit-events"),
            ("POST", "/audit-events"),
        ] {
            let response = admin.send(method, path, &json!({})).await;
            response.expect_problem(405, "method-not-allowed");
            assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
        }
        admin.delete("/audit-events/1").await.expect_problem(404, "not-found");
        assert_eq!(admin.get("/audit-events").await.expect(200), before);
    }

    async fn invalid_event_filter_is_named_in_error(server) {
        let admin = server.client(Role::Admin).await;
        for (query, parameter) in [
            ("actor=root", "actor"),
            ("action=User+made", "action"),
            ("target=group", "target"),
            ("since=yesterday", "since"),
            ("before=2026-13-01T00:00:00Z", "before"),
            ("after=x", "after"),
            ("limit=0", "limit"),
            ("who=me", "who"),
        ] {
            let problem = admin.get(&format!("/audit-events?{query}")).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
        }
    }

    async fn event_page_links_keep_filters(server) {
        let admin = server.client(Role::Admin).await;
        for name in ["ada", "bo", "cy", "di", "ed"] {
            server.add_user(name, Role::Viewer).await;
        }
        let (mut listed, mut path) = (0, "/audit-events?limit=2&action=user.created".to_owned());
        loop {
            let response = admin.get(&path).await;
            let page = response.expect(200)["events"].as_array().unwrap().clone();
            assert!(page.iter().all(|event| event["action"] == "user.created"));
            listed += page.len();
            let Some(next) = response.next_page() else { break };
            path = next;
        }
        assert_eq!(listed, 6);
    }
}
