//! Errors of the web framework are problem documents.

use app::http::EdgeConfig;
use domain::access::Role;
use serde_json::json;
use tests::client::Response;
use tests::server::{Engine, Server, Setup};

#[tokio::test]
async fn unknown_path_returns_404() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    for path in ["/nowhere", "/students/", "/students/1/2", "/Students", "/%2e%2e/etc/passwd"] {
        client.get(path).await.expect_problem(404, "not-found");
    }
    client.get("/students/%ff").await.expect_problem(404, "record-not-found");
}

/// REQ 24.
#[tokio::test]
async fn wrong_method_returns_405_with_allow() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    for (method, path, allow) in [
        ("PATCH", "/students", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/students/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("BREW", "/me", "GET, HEAD, OPTIONS"),
        ("GET", "/login", "OPTIONS, POST"),
        ("POST", "/docs/", "GET, HEAD, OPTIONS"),
        ("POST", "/problems/not-found", "GET, HEAD, OPTIONS"),
        ("DELETE", "/", "GET, HEAD, OPTIONS"),
    ] {
        let response = Response::fetch(client.request(method, path)).await;
        response.expect_problem(405, "method-not-allowed");
        assert_eq!(response.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn body_over_1_mib_returns_413_with_or_without_length() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    let large = vec![b' '; (1 << 20) + 1];
    let sized = client.request("POST", "/students").header("content-type", "application/json").body(large.clone());
    Response::fetch(sized).await.expect_problem(413, "payload-too-large");

    let chunks: Vec<Result<_, std::io::Error>> = large.chunks(1 << 16).map(|chunk| Ok(chunk.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let streamed = client.request("POST", "/students").header("content-type", "application/json").body(chunked);
    Response::fetch(streamed).await.expect_problem(413, "payload-too-large");

    let mut fits = br#"{"name": "Asha", "email": "asha@example.org", "roll_no": 7}"#.to_vec();
    fits.resize(1 << 20, b' ');
    let fits = client.request("POST", "/students").header("content-type", "application/json").body(fits);
    Response::fetch(fits).await.expect(201);
}

/// REQ 25.
#[tokio::test]
async fn wrong_media_type_returns_415_with_accept() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("nonsense")] {
        let mut request = client.request("POST", "/students").body("{}");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = Response::fetch(request).await;
        response.expect_problem(415, "unsupported-media-type");
        assert_eq!(response.header("accept"), "application/json");
    }
}

#[tokio::test]
async fn body_may_have_media_type_parameters_and_byte_order_mark() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    for (roll_no, content_type) in
        (1..).zip(["application/json ; charset=utf-8", "application/json\t;a=b; c = \"d;e\"", "Application/JSON;"])
    {
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no});
        let request = client.request("POST", "/students").header("content-type", content_type);
        let request = request.body(format!("\u{feff}{student}"));
        Response::fetch(request).await.expect(201);
    }
    let twice =
        client.request("POST", "/students").header("content-type", "application/json").body("\u{feff}\u{feff}{}");
    Response::fetch(twice).await.expect_problem(400, "malformed-body");
}

#[tokio::test]
async fn encoded_body_returns_415_with_accept_encoding() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    let encoded = client.request("POST", "/students").header("content-encoding", "gzip").json(&student);
    let response = Response::fetch(encoded).await;
    response.expect_problem(415, "unsupported-media-type");
    assert_eq!(response.header("accept-encoding"), "identity");
    let plain = client.request("POST", "/students").header("content-encoding", "identity").json(&student);
    Response::fetch(plain).await.expect(201);
}

#[tokio::test]
async fn login_body_over_16_kib_returns_413() {
    let server = Server::start(Engine::Sqlite).await;
    let large = server.anonymous().request("POST", "/login").body(vec![b' '; 16 * 1024 + 1]);
    Response::fetch(large).await.expect_problem(413, "payload-too-large");
    let fits = server.anonymous().request("POST", "/login").body(vec![b' '; 16 * 1024]);
    Response::fetch(fits).await.expect_problem(400, "incomplete-credentials");
}

/// REQ 25.
#[tokio::test]
async fn unacceptable_media_type_returns_406_without_effect() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    let create = client.request("POST", "/students").header("accept", "text/html").json(&student);
    Response::fetch(create).await.expect_problem(406, "not-acceptable");
    assert_eq!(client.get("/students").await.expect(200)["students"], json!([]));
    let yaml = client.request("GET", "/openapi.yaml").header("accept", "application/json");
    Response::fetch(yaml).await.expect_problem(406, "not-acceptable");
}

/// REQ 29.
#[tokio::test]
async fn malformed_body_returns_400() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    let deep = [b"{\"name\":".repeat(10_000), b"}".repeat(10_000)].concat();
    for body in [
        &b""[..],
        b"{",
        b"{\"name\": \"a\", \"name\": \"b\"}",
        b"{\"age\": NaN}",
        b"{\"name\": \"\\ud800\"}",
        b"{\"name\": \"\xff\"}",
        b"{\"name\": \"a\0b\"}",
        &deep,
    ] {
        let request = client.request("POST", "/students").header("content-type", "application/json");
        Response::fetch(request.body(body.to_vec())).await.expect_problem(400, "malformed-body");
    }
    let nul = json!({"name": "a\0b", "email": "asha@example.org", "roll_no": 7});
    client.send("POST", "/students", &nul).await.expect_problem(422, "invalid-fields");
}

/// REQ 24.
#[tokio::test]
async fn head_responds_as_get_without_body() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    client.send("POST", "/students", &student).await.expect(201);
    for path in [
        "/students/1",
        "/students",
        "/me",
        "/health/live",
        "/openapi.json",
        "/docs/",
        "/nowhere",
        "/problems/not-found",
    ] {
        let get = client.get(path).await;
        let head = Response::fetch(client.request("HEAD", path)).await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{name} of {path}");
        }
    }
}

/// REQ 33.
#[tokio::test]
async fn valid_request_id_is_returned() {
    let server = Server::start(Engine::Sqlite).await;
    for path in ["/health/live", "/nowhere"] {
        let request = server.anonymous().request("GET", path).header("x-request-id", "my-id.7");
        assert_eq!(Response::fetch(request).await.header("x-request-id"), "my-id.7");
        let request = server.anonymous().request("GET", path).header("x-request-id", "no id\"");
        assert_ne!(Response::fetch(request).await.header("x-request-id"), "no id\"");
    }
}

/// REQ 32.
#[tokio::test]
async fn responses_have_browser_security_headers() {
    let setup = Setup { config: EdgeConfig::default(), ..Setup::default() };
    let server = Server::start_with(Engine::Sqlite, setup).await;
    for path in ["/docs/", "/openapi.json", "/nowhere", "/problems/not-found"] {
        let response = server.anonymous().get(path).await;
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert!(!response.headers.contains_key("access-control-allow-origin"));
        if response.header("content-type").starts_with("text/html") {
            let policy = response.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
            assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{policy}");
        }
    }
}

/// REQ 23.
#[tokio::test]
async fn problem_type_url_returns_explanation() {
    let server = Server::start(Engine::Sqlite).await;
    let problem = server.anonymous().get("/nowhere").await.expect(401);
    let page = server.anonymous().get(problem["type"].as_str().unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<h1>Unauthorized</h1>"));
    server.anonymous().get("/problems/unknown").await.expect_problem(404, "not-found");
}
