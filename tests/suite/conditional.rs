//! Conditional requests (RFC 9110, section 13).

use domain::access::Role;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::on_each_store;

async fn create_student(client: &Client) -> (String, String) {
    let body = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    let created = client.send("POST", "/students", &body).await;
    created.expect(201);
    (created.header("location").to_owned(), created.header("etag").to_owned())
}

async fn if_match(client: &Client, method: &str, path: &str, tag: &str, body: &Value) -> Response {
    Response::fetch(client.request(method, path).header("if-match", tag).json(body)).await
}

async fn if_none_match(client: &Client, path: &str, tag: &str) -> u16 {
    let response = Response::fetch(client.request("GET", path).header("if-none-match", tag)).await;
    assert!(!response.header("etag").is_empty());
    assert_eq!(response.body.is_empty(), response.status == 304);
    response.status.as_u16()
}

on_each_store! {
    /// REQ 26.
    async fn matching_if_none_match_returns_304(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        for known in [tag.clone(), format!("W/{tag}"), "*".into(), format!("\"other\", {tag}")] {
            assert_eq!(if_none_match(&client, &path, &known).await, 304, "{known}");
        }
        for unknown in ["\"1-2\"", "\"2-1\"", "nonsense"] {
            assert_eq!(if_none_match(&client, &path, unknown).await, 200, "{unknown}");
        }
        client.send("PATCH", &path, &json!({"age": 21})).await.expect(200);
        assert_eq!(if_none_match(&client, &path, &tag).await, 200);
    }

    /// REQ 26.
    async fn write_with_stale_if_match_returns_412_without_effect(server) {
        let client = server.client(Role::Registrar).await;
        let (path, stale) = create_student(&client).await;
        let now = client.send("PATCH", &path, &json!({"age": 21})).await;
        let student = now.expect(200);
        assert_ne!(now.header("etag"), stale);
        let next = json!({"name": "Ravi", "email": "ravi@example.org", "roll_no": 8});
        for tag in [stale.clone(), "\"999-2\"".into(), format!("W/{}", now.header("etag")), "\"x\"".into(), format!("{stale}, \"1-9\"")] {
            for (method, body) in [("PUT", &next), ("PATCH", &json!({"age": 22})), ("DELETE", &Value::Null)] {
                if_match(&client, method, &path, &tag, body).await.expect_problem(412, "stale-version");
            }
        }
        assert_eq!(client.get(&path).await.expect(200), student);
    }

    /// REQ 26.
    async fn write_with_malformed_condition_returns_400_without_effect(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        let student = client.get(&path).await.expect(200);
        for value in [tag.trim_matches('"'), "\"1-1", "nonsense", "", "*, *"] {
            for (name, method) in [("if-match", "PUT"), ("if-match", "DELETE"), ("if-none-match", "PATCH")] {
                let write = client.request(method, &path).header(name, value).json(&json!({"age": 21}));
                Response::fetch(write).await.expect_problem(400, "malformed-condition");
            }
        }
        assert_eq!(client.get(&path).await.expect(200), student);
    }

    /// REQ 26.
    async fn write_with_current_if_match_succeeds(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        let changed = if_match(&client, "PATCH", &path, &tag, &json!({"age": 21})).await;
        changed.expect(200);
        let list = format!("\"1-9\", {}, {tag}", changed.header("etag"));
        let changed = if_match(&client, "PATCH", &path, &list, &json!({"age": 22})).await;
        changed.expect(200);
        if_match(&client, "PATCH", &path, "*", &json!({"age": 23})).await.expect(200);
        let now = client.get(&path).await.header("etag").to_owned();
        assert_eq!(if_match(&client, "DELETE", &path, &now, &Value::Null).await.status, 204);
    }

    async fn conditional_update_of_unknown_student_returns_404(server) {
        let client = server.client(Role::Registrar).await;
        for tag in ["\"1-1\"", "*", "\"x\""] {
            if_match(&client, "PATCH", "/students/1", tag, &json!({})).await.expect_problem(404, "record-not-found");
        }
    }

    /// REQ 26.
    async fn condition_lines_are_joined_and_may_contain_other_encodings(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        let lines = client.request("GET", &path).header("if-none-match", "\"0-0\"").header("if-none-match", &tag);
        assert_eq!(Response::fetch(lines).await.status, 304);
        let lines = client.request("PATCH", &path).header("if-match", "\"9-9\"").header("if-match", &tag);
        Response::fetch(lines.json(&json!({}))).await.expect(200);
        let other_encoding = client.request("PATCH", &path).header("if-match", &b"\"\xff\""[..]);
        Response::fetch(other_encoding.json(&json!({}))).await.expect_problem(412, "stale-version");
    }

    /// REQ 26.
    async fn write_with_matching_if_none_match_returns_412(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        for (condition, status) in [("*", 412), (&*tag, 412), ("\"9-9\"", 200)] {
            let write = client.request("PATCH", &path).header("if-none-match", condition).json(&json!({"age": 21}));
            Response::fetch(write).await.expect(status);
        }
        let both = client.request("DELETE", &path).header("if-none-match", "\"9-9\"").header("if-match", &tag);
        Response::fetch(both).await.expect_problem(412, "stale-version");
    }

    /// REQ 26.
    async fn etag_of_deleted_student_does_not_match_new_one(server) {
        let client = server.client(Role::Registrar).await;
        let (path, tag) = create_student(&client).await;
        client.delete(&path).await;
        let (next_path, next_tag) = create_student(&client).await;
        assert_ne!((&path, &tag), (&next_path, &next_tag));
        assert_eq!(if_none_match(&client, &next_path, &tag).await, 200);
        if_match(&client, "PATCH", &next_path, &tag, &json!({})).await.expect_problem(412, "stale-version");
    }
}
