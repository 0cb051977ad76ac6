//! Tests of `/users`.

use domain::access::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::on_each_store;
use tests::server::PASSWORD;

fn meera() -> Value {
    json!({"username": "Meera", "password": PASSWORD, "role": "registrar"})
}

fn names(page: &Value) -> Vec<&str> {
    page["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

/// The value of this key in each entry of a problem's `errors`.
fn error_values(problem: &Value, key: &str) -> Vec<String> {
    problem["errors"].as_array().unwrap().iter().map(|error| error[key].as_str().unwrap().to_owned()).collect()
}

async fn log_in(client: &Client, username: &str, password: &str) -> Response {
    client.send("POST", "/login", &json!({"Username": username, "Password": password})).await
}

async fn if_match(client: &Client, method: &str, path: &str, tag: &str) -> Response {
    Response::fetch(client.request(method, path).header("if-match", tag).json(&json!({"role": "viewer"}))).await
}

on_each_store! {
    /// REQ 27.
    async fn created_user_is_found_at_location_and_can_log_in(server) {
        let admin = server.client(Role::Admin).await;
        let created = admin.send("POST", "/users", &meera()).await;
        let user = created.expect(201);
        let mut fields: Vec<_> = user.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["created_at", "etag", "id", "password_change_due", "role", "status", "updated_at", "username"]);
        assert_eq!([&user["username"], &user["role"], &user["status"]], ["Meera", "registrar", "active"]);
        assert_eq!(user["created_at"], user["updated_at"]);
        assert_eq!(created.header("location"), format!("/users/{}", user["id"]));
        assert_eq!(created.header("etag"), format!("\"user-{}-1\"", user["id"]));
        let found = admin.get(created.header("location")).await;
        assert_eq!(found.expect(200), user);
        assert_eq!(found.header("etag"), created.header("etag"));
        let token = log_in(&server.anonymous(), "meera", PASSWORD).await.expect(200);
        let me = server.bearer(token["token"].as_str().unwrap()).get("/me").await.expect(200);
        assert_eq!((&me["id"], &me["role"]), (&user["id"], &user["role"]));
    }

    async fn duplicate_username_in_any_case_returns_409(server) {
        let admin = server.client(Role::Admin).await;
        admin.send("POST", "/users", &json!({"username": "ADMIN", "password": PASSWORD, "role": "viewer"})).await
            .expect_problem(409, "username-taken");
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
    }

    /// REQ 14.
    async fn invalid_user_fields_are_reported_together(server) {
        let admin = server.client(Role::Admin).await;
        let body = json!({"username": "a b", "password": "fourteen chars", "role": "root", "status": "active"});
        let problem = admin.send("POST", "/users", &body).await.expect_problem(422, "invalid-fields");
        assert_eq!(error_values(&problem, "pointer"), ["/username", "/password", "/role", "/status"]);
        let problem = admin.send("POST", "/users", &json!({})).await.expect_problem(422, "invalid-fields");
        assert_eq!(error_values(&problem, "pointer"), ["/username", "/password", "/role"]);
        for (password, rule) in [
            ("the mEEra runs dry", "must not contain the username"),
            ("fourteen chars", "must have at least 15 characters"),
            ("passwordPassword", "must not be a common password; use a phrase of several unusual words"),
            (&"x".repeat(129), "must have at most 128 characters"),
        ] {
            let body = json!({"username": "meera", "password": password, "role": "viewer"});
            let problem = admin.send("POST", "/users", &body).await.expect_problem(422, "invalid-fields");
            assert_eq!(error_values(&problem, "detail"), [rule]);
            assert!(!problem.to_string().contains(password));
        }
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
    }

    /// REQ 27.
    async fn next_and_link_reach_all_users(server) {
        let admin = server.client(Role::Admin).await;
        for name in ["c", "a", "b", "d"] {
            server.add_user(name, Role::Viewer).await;
        }
        let (mut path, mut listed) = ("/users?limit=2".to_owned(), Vec::new());
        loop {
            let response = admin.get(&path).await;
            let page = response.expect(200);
            listed.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else {
                assert!(page["next"].is_null() && !response.headers.contains_key("link"));
                break;
            };
            path = format!("/users?after={next}&limit=2");
            assert_eq!(response.header("link"), format!("<{path}>; rel=\"next\""));
        }
        assert_eq!(listed, ["admin", "c", "a", "b", "d"]);
        let problem = admin.get("/users?limit=0&after=x&name=a").await.expect_problem(422, "invalid-fields");
        assert_eq!(error_values(&problem, "parameter"), ["name", "limit", "after"]);
    }

    async fn users_can_be_filtered_and_sorted(server) {
        let admin = server.client(Role::Admin).await;
        for (name, role) in [("zoe", Role::Viewer), ("Asha", Role::Registrar), ("ravi", Role::Viewer)] {
            server.add_user(name, role).await;
        }
        admin.send("PATCH", "/users/2", &json!({"status": "disabled"})).await.expect(200);
        for (query, found) in [
            ("sort=username", vec!["admin", "Asha", "ravi", "zoe"]),
            ("sort=-id", vec!["ravi", "Asha", "zoe", "admin"]),
            ("role=viewer&sort=-username", vec!["zoe", "ravi"]),
            ("status=disabled", vec!["zoe"]),
            ("status=active&role=viewer", vec!["ravi"]),
            ("username=ASHA", vec!["Asha"]),
            ("username=ash", vec![]),
        ] {
            assert_eq!(names(&admin.get(&format!("/users?{query}")).await.expect(200)), found, "{query}");
        }
        for (query, named) in [("role=owner", "role"), ("status=gone", "status"), ("sort=role", "sort")] {
            let problem = admin.get(&format!("/users?{query}")).await.expect_problem(422, "invalid-fields");
            assert_eq!(error_values(&problem, "parameter"), [named]);
        }
    }

    /// REQ 18.
    async fn role_or_status_change_applies_to_next_request(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Viewer).await;
        let (path, asha) = (format!("/users/{}", user.id), server.client_of(&user).await);
        asha.get("/users").await.expect_problem(403, "insufficient-role");
        let changed = admin.send("PATCH", &path, &json!({"role": "admin"})).await.expect(200);
        assert_eq!([&changed["username"], &changed["role"], &changed["status"]], ["asha", "admin", "active"]);
        asha.get("/users").await.expect(200);
        let changed = admin.send("PATCH", &path, &json!({"role": "viewer", "status": "disabled"})).await;
        assert_eq!(changed.header("etag"), format!("\"user-{}-3\"", user.id));
        assert_eq!(admin.get(&path).await.expect(200), changed.expect(200));
        asha.get("/me").await.expect_problem(401, "unauthorized");
        log_in(&server.anonymous(), "asha", PASSWORD).await.expect_problem(401, "invalid-credentials");
        admin.send("PATCH", &path, &json!({"status": "active"})).await.expect(200);
        // Disabling a user ends the sessions permanently.
        asha.get("/me").await.expect_problem(401, "unauthorized");
        log_in(&server.anonymous(), "asha", PASSWORD).await.expect(200);
    }

    /// REQ 20.
    async fn only_role_and_status_can_be_changed(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Viewer).await;
        let path = format!("/users/{}", user.id);
        let before = admin.get(&path).await.expect(200);
        let patch = json!({"id": 9, "username": "ravi", "password": PASSWORD, "created_at": null, "version": 7});
        let problem = admin.send("PATCH", &path, &patch).await.expect_problem(422, "invalid-fields");
        let mut named = error_values(&problem, "pointer");
        named.sort();
        assert_eq!(named, ["/created_at", "/id", "/password", "/username", "/version"]);
        for (patch, pointers) in [
            (json!({"role": null, "status": null}), vec!["/role", "/status"]),
            (json!({"role": "root", "status": "locked"}), vec!["/role", "/status"]),
            (json!({"role": 1}), vec!["/role"]),
            (json!(["role"]), vec![""]),
        ] {
            let problem = admin.send("PATCH", &path, &patch).await.expect_problem(422, "invalid-fields");
            assert_eq!(error_values(&problem, "pointer"), pointers, "{patch}");
        }
        let merge = admin.request("PATCH", &path).header("content-type", "application/merge-patch+json");
        Response::fetch(merge.body("{}")).await.expect(200);
        let after = admin.get(&path).await.expect(200);
        assert_eq!([&after["username"], &after["role"]], [&before["username"], &before["role"]]);
    }

    async fn last_active_administrator_is_kept(server) {
        let root = server.add_user("root", Role::Admin).await;
        let spare = server.add_user("spare", Role::Admin).await;
        let (client, path) = (server.client_of(&root).await, format!("/users/{}", root.id));
        let spare_path = format!("/users/{}", spare.id);
        client.send("PATCH", &spare_path, &json!({"status": "disabled"})).await.expect(200);
        let before = client.get(&path).await.expect(200);
        for patch in [
            json!({"role": "viewer"}),
            json!({"status": "disabled"}),
            json!({"role": "admin", "status": "disabled"}),
            json!({"role": "registrar", "status": "active"}),
        ] {
            client.send("PATCH", &path, &patch).await.expect_problem(409, "last-administrator");
        }
        client.delete(&path).await.expect_problem(409, "last-administrator");
        assert_eq!(client.get(&path).await.expect(200), before);
        client.send("PATCH", &spare_path, &json!({"status": "active"})).await.expect(200);
        assert_eq!(client.delete(&path).await.status, 204);
        client.get("/me").await.expect_problem(401, "unauthorized");
    }

    async fn concurrent_demotions_keep_one_administrator(server) {
        let (one, two) = (server.add_user("one", Role::Admin).await, server.add_user("two", Role::Admin).await);
        let statuses = join_all([&one, &two].map(async |user| {
            let client = server.client_of(user).await;
            client.send("PATCH", &format!("/users/{}", user.id), &json!({"role": "viewer"})).await.status.as_u16()
        }));
        let mut statuses = statuses.await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }

    async fn deleted_user_and_malformed_id_return_404(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Viewer).await;
        let (path, asha) = (format!("/users/{}", user.id), server.client_of(&user).await);
        let deleted = admin.delete(&path).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
        asha.get("/me").await.expect_problem(401, "unauthorized");
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
        for path in [&*path, "/users/999", "/users/0", "/users/01", "/users/x", "/users/9007199254740992"] {
            admin.get(path).await.expect_problem(404, "record-not-found");
            admin.send("PATCH", path, &json!({"role": "viewer"})).await.expect_problem(404, "record-not-found");
            admin.delete(path).await.expect_problem(404, "record-not-found");
        }
        for tag in ["\"u999-1\"", "*", "\"x\""] {
            if_match(&admin, "PATCH", "/users/999", tag).await.expect_problem(404, "record-not-found");
        }
    }

    /// REQ 26.
    async fn user_change_with_stale_etag_returns_412(server) {
        let admin = server.client(Role::Admin).await;
        let created = admin.send("POST", "/users", &meera()).await;
        created.expect(201);
        let (path, stale) = (created.header("location").to_owned(), created.header("etag").to_owned());
        let get_if_none_match = |tag: &str| Response::fetch(admin.request("GET", &path).header("if-none-match", tag));
        let unmodified = get_if_none_match(&stale).await;
        assert_eq!((unmodified.status.as_u16(), unmodified.header("etag")), (304, &*stale));

        let changed = admin.send("PATCH", &path, &json!({"status": "disabled"})).await;
        let user = changed.expect(200);
        get_if_none_match(&stale).await.expect(200);
        // The entity tag of a student with the same id and version does not match a user.
        let student_tag = changed.header("etag").replace("user", "student");
        for tag in [&*stale, &*student_tag, "\"user-999-2\""] {
            for method in ["PATCH", "DELETE"] {
                if_match(&admin, method, &path, tag).await.expect_problem(412, "stale-version");
            }
        }
        get_if_none_match(&student_tag).await.expect(200);
        assert_eq!(admin.get(&path).await.expect(200), user);
        let changed = if_match(&admin, "PATCH", &path, changed.header("etag")).await;
        changed.expect(200);
        assert_eq!(if_match(&admin, "DELETE", &path, changed.header("etag")).await.status, 204);
    }

    /// REQ 26.
    async fn stale_etag_is_checked_before_last_administrator(server) {
        let root = server.add_user("root", Role::Admin).await;
        let (client, path) = (server.client_of(&root).await, format!("/users/{}", root.id));
        client.send("PATCH", &path, &json!({})).await.expect(200);
        for method in ["PATCH", "DELETE"] {
            if_match(&client, method, &path, &format!("\"user-{}-1\"", root.id)).await.expect_problem(412, "stale-version");
            if_match(&client, method, &path, &format!("\"user-{}-2\"", root.id)).await.expect_problem(409, "last-administrator");
        }
    }

    async fn unreadable_body_creates_no_user(server) {
        let admin = server.client(Role::Admin).await;
        let post = |media_type: &str, body: Vec<u8>| {
            Response::fetch(admin.request("POST", "/users").header("content-type", media_type).body(body))
        };
        let json = meera().to_string().into_bytes();
        post("text/plain", json.clone()).await.expect_problem(415, "unsupported-media-type");
        post("application/json", json[1..].to_vec()).await.expect_problem(400, "malformed-body");
        post("application/json", vec![b' '; (1 << 20) + 1]).await.expect_problem(413, "payload-too-large");
        let twice = br#"{"role": "viewer", "role": "admin"}"#.to_vec();
        post("application/json", twice).await.expect_problem(400, "malformed-body");
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
    }
}
