//! The API document: what is served, what is checked in, and what the service does are one.

use std::fs;
use std::io::Read;

use domain::user::Role;
use flate2::read::GzDecoder;
use serde_json::Value;
use tests::client::Answer;
use tests::program;
use tests::server::{Engine, Server};

#[tokio::test]
async fn the_served_document_is_the_one_that_is_checked_in() {
    let server = Server::start(Engine::Sqlite).await;
    let checked_in = fs::read_to_string(program::workspace().join("openapi.yaml")).unwrap();
    let answer = server.anonymous().get("/openapi.yaml").await;
    assert_eq!(answer.header("content-type"), "application/yaml");
    assert!(answer.text() == checked_in, "openapi.yaml is not what the code says: run `cargo xtask openapi`");
}

#[tokio::test]
async fn each_rendition_is_compressed_for_whoever_accepts_it() {
    let server = Server::start(Engine::Sqlite).await;
    for path in ["/openapi.json", "/openapi.yaml", "/openapi-3.1.yaml"] {
        let plain = server.anonymous().get(path).await;
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        let asked = server.anonymous().request("GET", path).header("accept-encoding", "gzip, br");
        let coded = Answer::to(asked).await;
        assert_eq!(coded.header("content-encoding"), "gzip", "{path}");
        assert!(coded.body.len() < plain.body.len() / 5, "{path}: {} of {}", coded.body.len(), plain.body.len());
        let mut inflated = Vec::new();
        GzDecoder::new(&*coded.body).read_to_end(&mut inflated).unwrap();
        assert!(inflated == plain.body, "{path}");
        for answer in [plain, coded] {
            assert!(answer.headers.get_all("vary").iter().any(|name| name == "Accept-Encoding"), "{path}");
        }
    }
}

#[tokio::test]
async fn all_renditions_say_the_same() {
    let server = Server::start(Engine::Sqlite).await;
    let json = server.anonymous().get("/openapi.json").await;
    assert_eq!(json.header("content-type"), "application/json");
    let yaml: Value = serde_yaml::from_str(&server.anonymous().get("/openapi.yaml").await.text()).unwrap();
    assert_eq!(json.expect(200), yaml);
    let newer: Value = serde_yaml::from_str(&server.anonymous().get("/openapi-3.1.yaml").await.text()).unwrap();
    assert_eq!(newer["openapi"], "3.1.0");
    assert_eq!(newer["paths"].as_object().unwrap().len(), yaml["paths"].as_object().unwrap().len());
}

#[tokio::test]
async fn deprecated_operations_announce_it_and_no_other_does() {
    let server = Server::start(Engine::Sqlite).await;
    // The one whom paths with an id are about, and the one who goes through them.
    server.add_user("first", Role::Viewer).await;
    let admin = server.add_user("second", Role::Admin).await;
    let mut deprecated = 0;
    for (path, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_deprecated = operation.get("deprecated") == Some(&true.into());
            deprecated += usize::from(is_deprecated);
            // Before the operation is reached, within it, and after it.
            for client in [server.anonymous(), server.client_of(&admin).await] {
                let request = client.request(&method.to_ascii_uppercase(), &path.replace("{id}", "1"));
                let answer = Answer::to(request).await;
                for name in ["deprecation", "sunset"] {
                    assert_eq!(answer.headers.contains_key(name), is_deprecated, "{method} {path} {}", answer.status);
                }
            }
        }
    }
    assert_eq!(deprecated, 4);
}

#[test]
fn bounds_and_grammars_are_the_domains() {
    let document = app::http::document::tree();
    let properties = &document["components"]["schemas"]["Student"]["properties"];
    assert_eq!(properties["id"]["maximum"], domain::MAX_ID);
    assert_eq!(properties["roll_no"]["maximum"], domain::MAX_ID);
    assert_eq!(properties["email"]["pattern"], domain::student::Email::PATTERN);
    let limit = &document["paths"]["/students"]["get"]["parameters"][0]["schema"];
    assert_eq!((&limit["default"], &limit["maximum"]), (&50.into(), &200.into()));
}

#[test]
fn every_operation_says_what_generators_and_readers_need() {
    let document = app::http::document::tree();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for text in ["operationId", "summary", "description"] {
                assert!(operation[text].is_string(), "{method} {path} has no {text}");
            }
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path}");
            assert!(operation["responses"].get("default").is_none(), "{method} {path} has a default response");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let shared = response["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
                let response = shared.map_or(response, |pointer| document.pointer(pointer).unwrap());
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path} {status}"
                );
                let types = response["content"].as_object().map_or(0, serde_json::Map::len);
                assert!(types <= 1, "{method} {path} {status} has {types} media types");
            }
            assert_eq!(operation["deprecated"] == true, path == "/student", "{method} {path}");
        }
    }
}
