//! Validity of tokens, and permissions of roles.

use domain::access::Role;
use domain::user::{Status, UserUpdate};
use serde_json::json;
use tests::on_each_store;
use tests::server::{Engine, Server, operator, sign};
use time::Duration;

on_each_store! {
    async fn me_returns_user_of_token(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let me = server.client_of(&user).await.get("/me").await.expect(200);
        assert_eq!((&me["id"], &me["username"], &me["role"]), (&json!(user.id.get()), &json!("asha"), &json!("viewer")));
    }

    async fn token_of_deleted_user_is_rejected_after_name_reuse(server) {
        server.add_user("root", Role::Admin).await;
        let deleted = server.add_user("asha", Role::Registrar).await;
        let token = server.token_of(&deleted).await;
        server.bearer(&token).get("/me").await.expect(200);
        server.stores.users.delete(deleted.id, None, &operator()).await.unwrap();
        server.bearer(&token).get("/me").await.expect_problem(401, "unauthorized");
        let next = server.add_user("asha", Role::Registrar).await;
        assert_ne!(next.id, deleted.id);
        server.bearer(&token).get("/me").await.expect_problem(401, "unauthorized");
    }

    /// REQ 18.
    async fn token_of_disabled_user_is_rejected_after_reactivation(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let client = server.client_of(&user).await;
        client.get("/me").await.expect(200);
        for status in [Status::Disabled, Status::Active] {
            server.stores.users.update(user.id, None, UserUpdate::status(status), &operator()).await.unwrap();
            client.get("/me").await.expect_problem(401, "unauthorized");
        }
        server.client_of(&user).await.get("/me").await.expect(200);
    }

    async fn role_change_applies_from_next_request(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let client = server.client_of(&user).await;
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
        client.send("POST", "/students", &student).await.expect_problem(403, "insufficient-role");
        server.stores.users.update(user.id, None, UserUpdate::role(Role::Registrar), &operator()).await.unwrap();
        client.send("POST", "/students", &student).await.expect(201);
    }
}

/// REQ 2.
#[tokio::test]
async fn write_by_viewer_returns_403_with_required_role() {
    let server = Server::start(Engine::Sqlite).await;
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    server.client(Role::Registrar).await.send("POST", "/students", &student).await.expect(201);
    let viewer = server.client(Role::Viewer).await;
    for path in ["/students", "/students/1", "/student", "/student?name=a"] {
        viewer.get(path).await.expect(200);
    }
    for (method, path) in [
        ("POST", "/students"),
        ("PUT", "/students/1"),
        ("PATCH", "/students/1"),
        ("DELETE", "/students/1"),
        ("POST", "/student"),
        ("PUT", "/student?student_id=1"),
        ("DELETE", "/student?student_id=1"),
    ] {
        let response = viewer.send(method, path, &json!({"no": "student"})).await;
        let problem = response.expect_problem(403, "insufficient-role");
        assert_eq!(problem["detail"], "This operation requires the role registrar; the caller has the role viewer.");
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"rollbook\", error=\"insufficient_scope\"");
    }
    let admin = server.client(Role::Admin).await;
    admin.send("PATCH", "/students/1", &json!({"age": 20})).await.expect(200);
}

/// REQ 7.
#[tokio::test]
async fn expired_token_is_rejected() {
    let server = Server::start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let claims = server.claims_of(&user).await;
    for (age, status) in [(Duration::ZERO, 200), (Duration::MINUTE * 16, 401)] {
        let mut claims = claims.clone();
        (claims.issued_at, claims.expires_at) = (claims.issued_at - age, claims.expires_at - age);
        let token = sign(&claims);
        server.bearer(token).get("/me").await.expect(status);
    }
}

#[tokio::test]
async fn sample_token_of_articles_is_rejected() {
    let server = Server::start(Engine::Sqlite).await;
    server.add_user("shantanu", Role::Registrar).await;
    let sample = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.J_RIIkoOLNXtd5IZcEwaBDGKGA3VnnYmuXnmhsmDEOs";
    server.bearer(sample).get("/student").await.expect_problem(401, "unauthorized");
}
