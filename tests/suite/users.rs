//! `/users`: the accounts from end to end.

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

/// What stands in each entry of a problem's `errors` under a key.
fn at_fault(problem: &Value, key: &str) -> Vec<String> {
    problem["errors"].as_array().unwrap().iter().map(|error| error[key].as_str().unwrap().to_owned()).collect()
}

async fn log_in(client: &Client, username: &str, password: &str) -> Response {
    client.send("POST", "/login", &json!({"Username": username, "Password": password})).await
}

async fn if_match(client: &Client, method: &str, path: &str, tag: &str) -> Response {
    Response::to(client.request(method, path).header("if-match", tag).json(&json!({"role": "viewer"}))).await
}

on_each_store! {
    /// REQ 27.
    async fn new_user_is_found_where_location_says_and_can_log_in(server) {
        let admin = server.client(Role::Admin).await;
        let made = admin.send("POST", "/users", &meera()).await;
        let user = made.expect(201);
        let mut fields: Vec<_> = user.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["created_at", "etag", "id", "password_change_due", "role", "status", "updated_at", "username"]);
        assert_eq!([&user["username"], &user["role"], &user["status"]], ["Meera", "registrar", "active"]);
        assert_eq!(user["created_at"], user["updated_at"]);
        assert_eq!(made.header("location"), format!("/users/{}", user["id"]));
        assert_eq!(made.header("etag"), format!("\"user-{}-1\"", user["id"]));
        let found = admin.get(made.header("location")).await;
        assert_eq!(found.expect(200), user);
        assert_eq!(found.header("etag"), made.header("etag"));
        let token = log_in(&server.anonymous(), "meera", PASSWORD).await.expect(200);
        let me = server.bearer(token["token"].as_str().unwrap()).get("/me").await.expect(200);
        assert_eq!((&me["id"], &me["role"]), (&user["id"], &user["role"]));
    }

    async fn a_taken_username_is_a_conflict_whatever_its_case(server) {
        let admin = server.client(Role::Admin).await;
        admin.send("POST", "/users", &json!({"username": "ADMIN", "password": PASSWORD, "role": "viewer"})).await
            .expect_problem(409, "username-taken");
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
    }

    /// REQ 14.
    async fn every_field_of_a_new_user_at_fault_is_named_at_once(server) {
        let admin = server.client(Role::Admin).await;
        let body = json!({"username": "a b", "password": "fourteen chars", "role": "root", "status": "active"});
        let problem = admin.send("POST", "/users", &body).await.expect_problem(422, "invalid-fields");
        assert_eq!(at_fault(&problem, "pointer"), ["/username", "/password", "/role", "/status"]);
        let problem = admin.send("POST", "/users", &json!({})).await.expect_problem(422, "invalid-fields");
        assert_eq!(at_fault(&problem, "pointer"), ["/username", "/password", "/role"]);
        for (password, rule) in [
            ("the mEEra runs dry", "must not contain the username"),
            ("fourteen chars", "must have at least 15 characters"),
            ("passwordPassword", "must not be a common password; use a phrase of several unusual words"),
            (&"x".repeat(129), "must have at most 128 characters"),
        ] {
            let body = json!({"username": "meera", "password": password, "role": "viewer"});
            let problem = admin.send("POST", "/users", &body).await.expect_problem(422, "invalid-fields");
            assert_eq!(at_fault(&problem, "detail"), [rule]);
            assert!(!problem.to_string().contains(password));
        }
        assert_eq!(names(&admin.get("/users").await.expect(200)), ["admin"]);
    }

    /// REQ 27.
    async fn next_and_link_walk_all_users(server) {
        let admin = server.client(Role::Admin).await;
        for name in ["c", "a", "b", "d"] {
            server.add_user(name, Role::Viewer).await;
        }
        let (mut path, mut seen) = ("/users?limit=2".to_owned(), Vec::new());
        loop {
            let answer = admin.get(&path).await;
            let page = answer.expect(200);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else {
                assert!(page["next"].is_null() && !answer.headers.contains_key("link"));
                break;
            };
            path = format!("/users?after={next}&limit=2");
            assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
        }
        assert_eq!(seen, ["admin", "c", "a", "b", "d"]);
        let problem = admin.get("/users?limit=0&after=x&name=a").await.expect_problem(422, "invalid-fields");
        assert_eq!(at_fault(&problem, "parameter"), ["name", "limit", "after"]);
    }

    /// REQ 18.
    async fn change_of_role_or_status_counts_from_the_next_request(server) {
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
        // Disabling has ended the session: the user has to log in again.
        asha.get("/me").await.expect_problem(401, "unauthorized");
        log_in(&server.anonymous(), "asha", PASSWORD).await.expect(200);
    }

    /// REQ 20.
    async fn nothing_but_role_and_status_can_be_changed(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Viewer).await;
        let path = format!("/users/{}", user.id);
        let before = admin.get(&path).await.expect(200);
        let patch = json!({"id": 9, "username": "ravi", "password": PASSWORD, "created_at": null, "version": 7});
        let problem = admin.send("PATCH", &path, &patch).await.expect_problem(422, "invalid-fields");
        let mut named = at_fault(&problem, "pointer");
        named.sort();
        assert_eq!(named, ["/created_at", "/id", "/password", "/username", "/version"]);
        for (patch, pointers) in [
            (json!({"role": null, "status": null}), vec!["/role", "/status"]),
            (json!({"role": "root", "status": "locked"}), vec!["/role", "/status"]),
            (json!({"role": 1}), vec!["/role"]),
            (json!(["role"]), vec![""]),
        ] {
            let problem = admin.send("PATCH", &path, &patch).await.expect_problem(422, "invalid-fields");
            assert_eq!(at_fault(&problem, "pointer"), pointers, "{patch}");
        }
        let merge = admin.request("PATCH", &path).header("content-type", "application/merge-patch+json");
        Response::to(merge.body("{}")).await.expect(200);
        let after = admin.get(&path).await.expect(200);
        assert_eq!([&after["username"], &after["role"]], [&before["username"], &before["role"]]);
    }

    async fn the_last_active_administrator_cannot_be_taken_away(server) {
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

    async fn of_two_administrators_that_go_at_once_one_stays(server) {
        let (one, two) = (server.add_user("one", Role::Admin).await, server.add_user("two", Role::Admin).await);
        let gone = join_all([&one, &two].map(async |user| {
            let client = server.client_of(user).await;
            client.send("PATCH", &format!("/users/{}", user.id), &json!({"role": "viewer"})).await.status.as_u16()
        }));
        let mut gone = gone.await;
        gone.sort_unstable();
        assert_eq!(gone, [200, 409]);
    }

    async fn a_removed_user_is_gone_and_what_is_no_id_names_nobody(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Viewer).await;
        let (path, asha) = (format!("/users/{}", user.id), server.client_of(&user).await);
        let removed = admin.delete(&path).await;
        assert_eq!((removed.status.as_u16(), removed.body.len()), (204, 0));
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
    async fn stale_user_is_a_412_and_changes_nothing(server) {
        let admin = server.client(Role::Admin).await;
        let made = admin.send("POST", "/users", &meera()).await;
        made.expect(201);
        let (path, stale) = (made.header("location").to_owned(), made.header("etag").to_owned());
        let known = |tag: &str| Response::to(admin.request("GET", &path).header("if-none-match", tag));
        let unmodified = known(&stale).await;
        assert_eq!((unmodified.status.as_u16(), unmodified.header("etag")), (304, &*stale));

        let changed = admin.send("PATCH", &path, &json!({"status": "disabled"})).await;
        let user = changed.expect(200);
        known(&stale).await.expect(200);
        // The tag that a student with this id and version has is no user's.
        let students = changed.header("etag").replace("user", "student");
        for tag in [&*stale, &*students, "\"user-999-2\""] {
            for method in ["PATCH", "DELETE"] {
                if_match(&admin, method, &path, tag).await.expect_problem(412, "stale-version");
            }
        }
        known(&students).await.expect(200);
        assert_eq!(admin.get(&path).await.expect(200), user);
        let changed = if_match(&admin, "PATCH", &path, changed.header("etag")).await;
        changed.expect(200);
        assert_eq!(if_match(&admin, "DELETE", &path, changed.header("etag")).await.status, 204);
    }

    /// REQ 26.
    async fn stale_version_is_told_before_the_last_administrator(server) {
        let root = server.add_user("root", Role::Admin).await;
        let (client, path) = (server.client_of(&root).await, format!("/users/{}", root.id));
        client.send("PATCH", &path, &json!({})).await.expect(200);
        for method in ["PATCH", "DELETE"] {
            if_match(&client, method, &path, &format!("\"user-{}-1\"", root.id)).await.expect_problem(412, "stale-version");
            if_match(&client, method, &path, &format!("\"user-{}-2\"", root.id)).await.expect_problem(409, "last-administrator");
        }
    }

    async fn a_body_that_cannot_be_read_makes_no_user(server) {
        let admin = server.client(Role::Admin).await;
        let post = |media_type: &str, body: Vec<u8>| {
            Response::to(admin.request("POST", "/users").header("content-type", media_type).body(body))
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
