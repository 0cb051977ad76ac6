//! Legacy API: the requests of legacy clients, and the parts of the responses that they compare.

use domain::access::Role;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::on_each_store;
use tests::server::{PASSWORD, Server};

const UNAUTHORIZED: &str = "The provided auth token is not valid.Please request a new token and try again.";

async fn log_in(server: &Server, body: &'static str) -> Response {
    Response::fetch(server.anonymous().request("POST", "/login").body(body)).await
}

fn assert_texts(problem: &Value, title: &str, description: &str) {
    assert_eq!((problem["title"].as_str(), problem["description"].as_str()), (Some(title), Some(description)));
}

async fn registrar(server: &Server) -> Client {
    server.client(Role::Registrar).await
}

async fn create_student(client: &Client, name: &str, roll_no: i64) -> Value {
    let body = json!({"name": name, "emailid": "asha@example.org", "rollno": roll_no, "age": 20});
    client.send("POST", "/student", &body).await.expect(201)
}

on_each_store! {
    async fn legacy_login_returns_token_of_user(server) {
        let user = server.add_user("shantanu", Role::Viewer).await;
        let body = json!({"Username": "shantanu", "Password": PASSWORD, "more": [1, {}]}).to_string();
        for content_type in [None, Some("application/json"), Some("application/x-www-form-urlencoded")] {
            let mut request = server.anonymous().request("POST", "/login").body(body.clone());
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let response = Response::fetch(request).await;
            let token = response.expect(200)["token"].as_str().unwrap().to_owned();
            assert_eq!(response.header("cache-control"), "no-store");
            let me = server.bearer(token).get("/me").await.expect(200);
            assert_eq!(me["id"], user.id.get());
        }
    }

    async fn legacy_login_with_incomplete_body_returns_400(server) {
        for body in [
            r#"{"Username": "shantanu"}"#,
            r#"{"Password": "password"}"#,
            r#"{"Username": null, "Password": "password"}"#,
            r#"{"Username": "shantanu", "Password": ""}"#,
            r#"{"Username": "", "Password": "password"}"#,
            r#"{"username": "shantanu", "password": "password"}"#,
            r#"{"Username": 1, "Password": 2}"#,
            "{}",
            "[]",
            "",
            "Username=shantanu&Password=password",
        ] {
            let problem = log_in(&server, body).await.expect_problem(400, "incomplete-credentials");
            assert_texts(&problem, "Bad Request", "Please enter valid Username and Password");
        }
    }

    async fn unknown_user_and_wrong_password_return_same_response(server) {
        server.add_user("shantanu", Role::Viewer).await;
        let mut responses = Vec::new();
        for body in [
            r#"{"Username": "unknown", "Password": "password"}"#,
            r#"{"Username": "shantanu", "Password": "password"}"#,
            r#"{"Username": "white space", "Password": "password"}"#,
        ] {
            let response = log_in(&server, body).await;
            let mut problem = response.expect_problem(401, "invalid-credentials");
            assert_texts(&problem, "Unauthorized", "Invalid Credentials");
            problem["request_id"] = Value::Null;
            let mut headers = response.headers.clone();
            headers.remove("x-request-id");
            headers.remove("date");
            headers.remove("content-length");
            // The address's remaining quota decreases with each attempt, for any username.
            let (account, _) = response.header("ratelimit").split_once(", ").unwrap();
            headers.insert("ratelimit", account.parse().unwrap());
            responses.push((problem, headers));
        }
        assert!(responses.iter().all(|response| response == &responses[0]), "{responses:?}");
    }

    async fn request_without_valid_token_returns_legacy_401(server) {
        let client = registrar(&server).await;
        create_student(&client, "Asha", 7).await;
        for authorization in [None, Some("Bearer"), Some("Bearer "), Some("Bearer x.y.z"), Some("nonsense"), Some("Basic YTpi")] {
            for path in ["/student", "/student?name=asha", "/nowhere", "/students/1"] {
                let mut request = server.anonymous().request("GET", path);
                if let Some(authorization) = authorization {
                    request = request.header("authorization", authorization);
                }
                let problem = Response::fetch(request).await.expect_problem(401, "unauthorized");
                assert_texts(&problem, "Unauthorized", UNAUTHORIZED);
            }
        }
    }

    async fn legacy_list_returns_all_students(server) {
        let client = registrar(&server).await;
        assert_eq!(client.get("/student").await.expect(200), json!({"Students": []}));
        let asha = create_student(&client, "Asha", 7).await;
        let ravi = create_student(&client, "Ravi", 8).await;
        for path in ["/student", "/student?name="] {
            assert_eq!(client.get(path).await.expect(200), json!({"Students": [asha, ravi]}));
        }
    }

    async fn legacy_list_longer_than_page_is_complete(server) {
        let client = registrar(&server).await;
        let create = async |roll_no| create_student(&client, "Asha", roll_no).await["id"].as_i64().unwrap();
        let mut ids: Vec<_> = stream::iter(1..=1_001).map(create).buffer_unordered(16).collect().await;
        ids.sort_unstable();
        let all = client.get("/student").await.expect(200);
        let listed: Vec<_> = all["Students"].as_array().unwrap().iter().map(|s| s["id"].as_i64().unwrap()).collect();
        assert_eq!(listed, ids);
    }

    async fn legacy_search_returns_first_match(server) {
        let client = registrar(&server).await;
        let asha = create_student(&client, "Asha Rao", 7).await;
        create_student(&client, "Sasha", 8).await;
        assert_eq!(client.get("/student?name=ASH").await.expect(200), json!({"Student": asha}));
        for no_match in ["xyz", "%25", "%00", "_"] {
            let response = client.get(&format!("/student?name={no_match}")).await;
            assert_eq!(response.expect(200), json!({"Student": {}}), "{no_match}");
        }
    }

    async fn legacy_create_returns_stored_student(server) {
        let client = registrar(&server).await;
        let body = json!({"name": "Asha", "emailid": "asha@example.org", "rollno": 7, "more": 1});
        let created = Response::fetch(client.request("POST", "/student").body(body.to_string())).await.expect(201);
        assert_eq!(created, json!({"id": 1, "name": "Asha", "emailid": "asha@example.org", "rollno": 7, "age": null}));
    }

    async fn legacy_create_with_invalid_data_returns_400(server) {
        let client = registrar(&server).await;
        create_student(&client, "Asha", 7).await;
        for body in [
            r#"{"emailid": "a@example.org", "rollno": 8, "age": 20}"#,
            r#"{"name": "Ravi", "emailid": "a@example.org", "age": 20}"#,
            r#"{"name": "Ravi", "emailid": "a@example.org", "rollno": "8"}"#,
            r#"{"name": "Ravi", "emailid": "none", "rollno": 8}"#,
            r#"{"name": "Ravi", "emailid": "a@example.org", "rollno": 7}"#,
            r#"{"name": null, "emailid": "a@example.org", "rollno": 8}"#,
            "no JSON",
            "",
        ] {
            let response = Response::fetch(client.request("POST", "/student").body(body)).await;
            let problem = response.expect_problem(400, "invalid-student-data");
            assert_texts(&problem, "Please provide valid data", "The data you provided cannot be proccessed! Try again");
        }
        assert_eq!(client.get("/student").await.expect(200)["Students"].as_array().unwrap().len(), 1);
    }

    async fn legacy_partial_update_returns_author(server) {
        let client = registrar(&server).await;
        create_student(&client, "Asha", 7).await;
        let changed = client.send("PUT", "/student?student_id=1", &json!({"age": 21, "more": 1})).await.expect(200);
        let asha = json!({"id": 1, "name": "Asha", "emailid": "asha@example.org", "rollno": 7, "age": 21});
        assert_eq!(changed, json!({"author": asha}));
        let changed = client.send("PUT", "/student?student_id=1", &json!({"name": "Åsa", "rollno": 9, "age": null})).await;
        let asa = json!({"id": 1, "name": "Åsa", "emailid": "asha@example.org", "rollno": 9, "age": null});
        assert_eq!(changed.expect(200), json!({"author": asa}));
    }

    async fn legacy_update_with_invalid_data_returns_400(server) {
        let client = registrar(&server).await;
        create_student(&client, "Asha", 7).await;
        create_student(&client, "Ravi", 8).await;
        for body in [r#"{"rollno": 8}"#, r#"{"emailid": "none"}"#, r#"{"name": null}"#, r#"{"age": "x"}"#, "no JSON", ""] {
            let response = Response::fetch(client.request("PUT", "/student?student_id=1").body(body)).await;
            let problem = response.expect_problem(400, "invalid-student-data");
            assert_texts(&problem, "Please provide valid data", "The data you provided cannot be proccessed! Try again");
        }
    }

    async fn legacy_update_or_delete_without_id_returns_400(server) {
        let client = registrar(&server).await;
        let responses = [client.send("PUT", "/student", &json!({"age": 21})).await, client.delete("/student").await];
        for response in responses {
            let problem = response.expect_problem(400, "missing-student-id");
            assert_eq!(problem["msg"], "Please re-verify the request");
        }
    }

    async fn legacy_update_or_delete_of_unknown_id_returns_400(server) {
        let client = registrar(&server).await;
        for id in ["1", "0", "-1", "x", "1.0", "99999999999999999999"] {
            let path = format!("/student?student_id={id}");
            for response in [client.send("PUT", &path, &json!({"age": 21})).await, client.delete(&path).await] {
                let problem = response.expect_problem(400, "wrong-student-id");
                assert_texts(&problem, "Wrong Student id", "Please provide valid author id to get info");
            }
        }
    }

    async fn legacy_delete_removes_student(server) {
        let client = registrar(&server).await;
        create_student(&client, "Asha", 7).await;
        let response = client.delete("/student?student_id=1").await;
        assert_eq!(response.expect(200), json!({"msg": "Record deleted...!!!"}));
        assert_eq!(client.get("/student").await.expect(200), json!({"Students": []}));
    }
}
