//! Pages of other origins (REQUIREMENTS 32), and queries that cannot be read.

use domain::access::Role;
use reqwest::header;
use tests::client::Answer;
use tests::on_each_store;
use tests::server::{Engine, ORIGIN, Server, Setup};

use app::http::EdgeConfig;

async fn asked_from(server: &Server, origin: &str, method: &str) -> Answer {
    let mut request = server.anonymous().request(method, "/students/1").build().unwrap();
    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    request.headers_mut().insert("access-control-request-method", "PATCH".parse().unwrap());
    Answer::to(reqwest::RequestBuilder::from_parts(reqwest::Client::new(), request)).await
}

#[tokio::test]
async fn req_32_pages_of_a_configured_origin_read_answers_and_ask_what_they_may() {
    let server = Server::start(Engine::Sqlite).await;
    let answer = asked_from(&server, ORIGIN, "GET").await;
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert!(answer.header("access-control-expose-headers").contains("WWW-Authenticate"));
    let preflight = asked_from(&server, ORIGIN, "OPTIONS").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-methods"), preflight.header("allow"));
    assert!(preflight.header("access-control-allow-headers").contains("Authorization"));
}

#[tokio::test]
async fn req_32_no_other_origin_reads_anything() {
    let configured = Server::start(Engine::Sqlite).await;
    let usual = Setup { config: EdgeConfig::default(), ..Setup::default() };
    let usual = Server::start_with(Engine::Sqlite, usual).await;
    for (server, origin) in [(&configured, "https://evil.example.org"), (&configured, "null"), (&usual, ORIGIN)] {
        for method in ["GET", "OPTIONS"] {
            let answer = asked_from(server, origin, method).await;
            let told = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).count();
            assert_eq!(told, 0, "{method} from {origin}: {answer:?}");
        }
    }
}

on_each_store! {
    async fn a_query_that_cannot_be_read_is_a_400(server) {
        let client = server.client(Role::Admin).await;
        for path in ["/students?name=%ff", "/me?x=%", "/users?after=%zz", "/health/live?%f0"] {
            client.get(path).await.expect_problem(400, "malformed-query");
        }
        server.anonymous().get("/students?name=%ff").await.expect_problem(401, "unauthorized");
    }
}
