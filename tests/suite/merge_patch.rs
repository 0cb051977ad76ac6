//! `PATCH` with JSON Merge Patch (RFC 7396).

use domain::access::Role;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::on_each_store;

async fn create_student(client: &Client) -> String {
    let body = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7, "age": 20});
    let created = client.send("POST", "/students", &body).await;
    created.expect(201);
    created.header("location").to_owned()
}

fn fields(student: &Value) -> Value {
    json!([student["name"], student["email"], student["roll_no"], student["age"]])
}

on_each_store! {
    /// REQ 28.
    async fn patch_keeps_absent_fields_and_clears_null_fields(server) {
        let client = server.client(Role::Registrar).await;
        let path = create_student(&client).await;
        for (patch, expected) in [
            (json!({}), json!(["Asha", "asha@example.org", 7, 20])),
            (json!({"name": "Åsa"}), json!(["Åsa", "asha@example.org", 7, 20])),
            (json!({"age": null}), json!(["Åsa", "asha@example.org", 7, null])),
            (json!({"age": null}), json!(["Åsa", "asha@example.org", 7, null])),
            (json!({"age": 21, "roll_no": 8}), json!(["Åsa", "asha@example.org", 8, 21])),
            (json!({"email": "asa@example.org", "name": "Asa"}), json!(["Asa", "asa@example.org", 8, 21])),
        ] {
            let patched = client.send("PATCH", &path, &patch).await.expect(200);
            assert_eq!(fields(&patched), expected, "{patch}");
            assert_eq!(client.get(&path).await.expect(200), patched);
        }
    }

    /// REQ 28.
    async fn null_on_required_field_and_non_object_patch_return_422(server) {
        let client = server.client(Role::Registrar).await;
        let path = create_student(&client).await;
        for (patch, pointer) in [
            (json!({"name": null}), "/name"),
            (json!({"email": null}), "/email"),
            (json!({"roll_no": null}), "/roll_no"),
            (json!({"name": {"first": "Asha"}}), "/name"),
            (json!({"age": [20]}), "/age"),
            (json!({"nickname": null}), "/nickname"),
            (json!(["name"]), ""),
            (json!("name"), ""),
            (Value::Null, ""),
        ] {
            let problem = client.send("PATCH", &path, &patch).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{patch}");
        }
        assert_eq!(fields(&client.get(&path).await.expect(200)), json!(["Asha", "asha@example.org", 7, 20]));
    }

    /// REQ 28.
    async fn patch_accepts_json_and_merge_patch_media_types(server) {
        let client = server.client(Role::Registrar).await;
        let path = create_student(&client).await;
        for (age, media_type) in [(21, "application/json"), (22, "application/merge-patch+json"), (23, "application/json; charset=utf-8")] {
            let request = client.request("PATCH", &path).header("content-type", media_type);
            let patched = Response::fetch(request.body(json!({"age": age}).to_string())).await.expect(200);
            assert_eq!(patched["age"], age);
        }
        let request = client.request("PATCH", &path).header("content-type", "application/json-patch+json").body("[]");
        let rejected = Response::fetch(request).await;
        rejected.expect_problem(415, "unsupported-media-type");
        assert_eq!(rejected.header("accept"), "application/json, application/merge-patch+json");
    }
}
