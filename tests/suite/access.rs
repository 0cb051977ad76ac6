//! Checks `tests/permissions.txt`: every operation of the API document with every kind of caller.

use std::collections::BTreeMap;
use std::fs;

use adapter_jwt::{JwtTokens, SigningKey, TokenPolicy};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SessionId;
use domain::access::Role;
use domain::token::{Claims, Tokens};
use domain::user::{Status, UserUpdate};
use serde_json::Value;
use tests::client::Response;
use tests::program::workspace;
use tests::server::{Engine, SECRET, Server, operator, sign};
use time::Duration;

use crate::installation::on_each_engine;

/// An operation of the API document, with its requirement in `tests/permissions.txt`.
struct Operation {
    id: String,
    method: String,
    path: String,
    requirement: Requirement,
}

/// The requirement of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Requirement {
    Nothing,
    Session,
    Role(Role),
}

/// The rows of `tests/permissions.txt`: the permission and the requirement of each operation.
fn table() -> BTreeMap<String, (String, Requirement)> {
    let text = fs::read_to_string(workspace().join("tests/permissions.txt")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let [id, permission, requirement] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let requirement = match requirement {
            "nothing" => Requirement::Nothing,
            "session" => Requirement::Session,
            role => Requirement::Role(role.parse().unwrap()),
        };
        (id.to_owned(), (permission.to_owned(), requirement))
    });
    rows.collect()
}

fn operations() -> Vec<Operation> {
    let table = table();
    let mut operations = Vec::new();
    for (path, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let (_, requirement) = table.get(&id).unwrap_or_else(|| panic!("{id} has no row in tests/permissions.txt"));
            operations.push(Operation {
                requirement: *requirement,
                id,
                method: method.to_ascii_uppercase(),
                // No record has this id, so a permitted request does not affect later requests.
                path: path.replace("{id}", "999"),
            });
        }
    }
    operations
}

fn signed_by(secret: &str, issuer: &str, audience: &str, claims: &Claims) -> String {
    let key = SigningKey::parse(secret.as_bytes()).unwrap();
    let tokens = JwtTokens::new(&key, TokenPolicy::new(issuer, audience, Duration::ZERO).unwrap()).unwrap();
    tokens.sign(claims).unwrap().expose().to_owned()
}

/// The same claims with another header and a valid signature: only the content of the header is invalid.
fn with_header(token: &str, header: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let signing_input = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(signing_input.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{signing_input}.{signature}")
}

/// The same token with the same header, without this claim, signed with this secret.
fn re_signed(token: &str, secret: &str, without: Option<&str>) -> String {
    let mut claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Map<String, Value>>(token).unwrap().claims;
    if let Some(claim) = without {
        claims.remove(claim).unwrap();
    }
    let header = jsonwebtoken::decode_header(token).unwrap();
    jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The secret of another service.
const FOREIGN_SECRET: &str = "zW9rT4kQ7mB1xN6vC3jH8pL5dS2fG0aY";

/// Invalid tokens, each with the name of its defect.
async fn invalid_tokens(server: &Server) -> Vec<(&'static str, Option<String>)> {
    let user = server.add_user("asha", Role::Admin).await;
    let claims = server.claims_of(&user).await;
    let valid_token = sign(&claims);
    let valid_header = jsonwebtoken::decode_header(&valid_token).unwrap();
    let key_id = valid_header.kid.unwrap();
    let header = |alg: &str, typ: &str| format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":"{key_id}"}}"#);
    let mut expired = claims.clone();
    (expired.issued_at, expired.expires_at) = (expired.issued_at - Duration::HOUR, expired.expires_at - Duration::HOUR);
    let ended = server.claims_of(&user).await;
    let mut unknown_session = claims.clone();
    unknown_session.session_id = SessionId::try_from(i64::from(u32::MAX)).unwrap();
    let disabled = server.add_user("disabled", Role::Admin).await;
    let deleted = server.add_user("deleted", Role::Admin).await;
    let tokens = vec![
        ("no token", None),
        ("garbage", Some("garbage".to_owned())),
        ("expired", Some(sign(&expired))),
        ("wrong key", Some(re_signed(&valid_token, FOREIGN_SECRET, None))),
        ("unknown key", Some(signed_by(FOREIGN_SECRET, "rollbook", "rollbook", &claims))),
        ("wrong algorithm", Some(with_header(&valid_token, &header("HS512", "at+jwt")))),
        ("none", Some(with_header(&valid_token, &header("none", "at+jwt")))),
        (
            "none without a signature",
            Some(with_header(&valid_token, &header("none", "at+jwt")).rsplit_once('.').unwrap().0.to_owned() + "."),
        ),
        ("wrong type", Some(with_header(&valid_token, &header("HS256", "JWT")))),
        ("wrong issuer", Some(signed_by(SECRET, "other", "rollbook", &claims))),
        ("wrong audience", Some(signed_by(SECRET, "rollbook", "other", &claims))),
        ("ended session", Some(sign(&ended))),
        ("unknown session", Some(sign(&unknown_session))),
        // Tokens of versions without sessions.
        ("no session", Some(re_signed(&valid_token, SECRET, Some("sid")))),
        ("disabled user", Some(server.token_of(&disabled).await)),
        ("deleted user", Some(server.token_of(&deleted).await)),
    ];
    assert!(server.stores.sessions.end(ended.session_id, user.id, &operator()).await.unwrap());
    let change = UserUpdate::status(Status::Disabled);
    server.stores.users.update(disabled.id, None, change, &operator()).await.unwrap();
    server.stores.users.delete(deleted.id, None, &operator()).await.unwrap();
    // Each token has one defect only: tokens that are created in the same way without a defect are accepted.
    let valid = with_header(&valid_token, &header("HS256", "at+jwt"));
    for valid in [valid, re_signed(&valid_token, SECRET, None)] {
        server.bearer(valid).get("/me").await.expect(200);
    }
    tokens
}

on_each_engine! { operation_permissions_match_table }

/// REQ 20.
async fn operation_permissions_match_table(engine: Engine) {
    let server = Server::start(engine).await;
    let invalid = invalid_tokens(&server).await;
    let mut users = Vec::new();
    for role in Role::ALL {
        users.push((role, server.add_user(role.as_str(), role).await));
    }
    let newcomer = server.add_user_with_due_password_change("newcomer", Role::Admin).await;
    let operations = operations();
    let mut combinations = 0;
    for operation in &operations {
        let requirement = operation.requirement;
        for (kind, token) in &invalid {
            let client = token.as_ref().map_or_else(|| server.anonymous(), |token| server.bearer(token));
            let status = Response::fetch(client.request(&operation.method, &operation.path)).await.status;
            let is_expected = if requirement == Requirement::Nothing { status != 401 } else { status == 401 };
            assert!(is_expected, "{} with {kind} is {status}", operation.id);
            combinations += 1;
        }
        for (role, user) in &users {
            // Some operations end their session.
            let client = server.client_of(user).await;
            let status = Response::fetch(client.request(&operation.method, &operation.path)).await.status;
            let permitted = match requirement {
                Requirement::Nothing | Requirement::Session => true,
                Requirement::Role(required) => *role >= required,
            };
            assert_eq!(status != 403, permitted, "{} as {role} is {status}", operation.id);
            assert_ne!(status, 401, "{} as {role}", operation.id);
            combinations += 1;
        }
        let client = server.client_of(&newcomer).await;
        let response = Response::fetch(client.request(&operation.method, &operation.path)).await;
        match requirement {
            Requirement::Nothing | Requirement::Session => {
                assert!(![401, 403].contains(&response.status.as_u16()), "{response:?}");
            }
            Requirement::Role(_) => drop(response.expect_problem(403, "password-change-due")),
        }
        combinations += 1;
    }
    println!("{combinations} combinations");
    assert_eq!(combinations, operations.len() * (invalid.len() + users.len() + 1));
}

/// REQ 20.
#[test]
fn permissions_table_matches_document() {
    let mut stated = BTreeMap::new();
    for item in app::http::document::tree()["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let is_public = operation["security"].as_array().is_some_and(Vec::is_empty);
            let permission = operation["x-permission"].as_str().unwrap_or("public").to_owned();
            let requirement = match operation["x-required-role"].as_str() {
                Some(role) => Requirement::Role(role.parse().unwrap()),
                None if is_public => Requirement::Nothing,
                None => Requirement::Session,
            };
            assert_eq!(is_public, permission == "public");
            stated.insert(operation["operationId"].as_str().unwrap().to_owned(), (permission, requirement));
        }
    }
    assert_eq!(stated, table(), "run `cargo xtask openapi` and review tests/permissions.txt");
}
