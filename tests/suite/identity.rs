//! Whose token is believed, and what each role may do.

use domain::token::{Claims, TokenId, TokenLifetime};
use domain::user::{Role, Status, UserChange};
use serde_json::json;
use tests::on_each_store;
use tests::server::{Engine, Server, operator, sign, token_of};
use time::{Duration, OffsetDateTime};

on_each_store! {
    async fn me_is_the_bearer_of_the_token(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let me = server.bearer(token_of(&user)).get("/me").await.expect(200);
        assert_eq!((&me["id"], &me["username"], &me["role"]), (&json!(user.id.get()), &json!("asha"), &json!("viewer")));
    }

    async fn a_removed_users_token_is_refused_and_never_fits_the_next_user(server) {
        server.add_user("root", Role::Admin).await;
        let removed = server.add_user("asha", Role::Registrar).await;
        let token = token_of(&removed);
        server.bearer(&token).get("/me").await.expect(200);
        server.stores.users.remove(removed.id, None, &operator()).await.unwrap();
        server.bearer(&token).get("/me").await.expect_problem(401, "unauthorized");
        let next = server.add_user("asha", Role::Registrar).await;
        assert_ne!(next.id, removed.id);
        server.bearer(&token).get("/me").await.expect_problem(401, "unauthorized");
    }

    async fn a_disabled_users_token_is_refused_until_the_user_is_enabled(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let client = server.bearer(token_of(&user));
        for (status, answer) in [(Status::Disabled, 401), (Status::Active, 200)] {
            server.stores.users.change(user.id, None, UserChange::status(status), &operator()).await.unwrap();
            client.get("/me").await.expect(answer);
        }
    }

    async fn a_change_of_role_counts_from_the_next_request(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let client = server.bearer(token_of(&user));
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
        client.send("POST", "/students", &student).await.expect_problem(403, "insufficient-role");
        server.stores.users.change(user.id, None, UserChange::role(Role::Registrar), &operator()).await.unwrap();
        client.send("POST", "/students", &student).await.expect(201);
    }
}

#[tokio::test]
async fn req_02_a_viewer_reads_and_is_told_which_role_writing_needs() {
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
        let answer = viewer.send(method, path, &json!({"no": "student"})).await;
        let problem = answer.expect_problem(403, "insufficient-role");
        assert_eq!(problem["detail"], "This operation needs the role registrar, and the role here is viewer.");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"rollbook\", error=\"insufficient_scope\"");
    }
    let admin = server.client(Role::Admin).await;
    admin.send("PATCH", "/students/1", &json!({"age": 20})).await.expect(200);
}

#[tokio::test]
async fn req_07_an_expired_token_is_refused() {
    let server = Server::start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let lifetime = TokenLifetime::new(Duration::MINUTE).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the server under test judges by the machine's clock")]
    let now = OffsetDateTime::now_utc();
    for (issued_at, answer) in [(now, 200), (now - Duration::seconds(61), 401)] {
        let id = TokenId::from_token("t".to_owned());
        let token = sign(&Claims::new(user.id, id, issued_at, lifetime));
        server.bearer(token).get("/me").await.expect(answer);
    }
}

#[tokio::test]
async fn the_articles_sample_token_is_refused() {
    let server = Server::start(Engine::Sqlite).await;
    server.add_user("shantanu", Role::Registrar).await;
    let sample = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.J_RIIkoOLNXtd5IZcEwaBDGKGA3VnnYmuXnmhsmDEOs";
    server.bearer(sample).get("/student").await.expect_problem(401, "unauthorized");
}
