//! The table of access, cell by cell: every operation of the document against every kind of caller.

use std::collections::BTreeSet;

use adapter_jwt::{JwtTokens, SigningKey, TokenPolicy};
use app::http::access::{ACCESS, Access};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::session::SessionId;
use domain::token::{Claims, Tokens};
use domain::user::{Role, Status, UserChange};
use serde_json::Value;
use tests::client::Answer;
use tests::server::{Engine, SECRET, Server, operator, sign};
use time::Duration;

use crate::installation::on_each_engine;

/// An operation of the document.
struct Operation {
    id: String,
    method: String,
    path: String,
    public: bool,
    description: String,
    required_role: Option<String>,
}

fn operations() -> Vec<Operation> {
    let document = app::http::document::tree();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_ascii_uppercase(),
                // Names nobody: what is allowed changes nothing that a later cell stands on.
                path: path.replace("{id}", "999"),
                public: operation["security"].as_array().is_some_and(Vec::is_empty),
                description: operation["description"].as_str().unwrap_or_default().to_owned(),
                required_role: operation["x-required-role"].as_str().map(str::to_owned),
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

/// The same claims under another header, which is signed as the key would: what verifies there must still be
/// refused for what it says.
fn with_header(token: &str, header: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let signing_input = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(signing_input.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{signing_input}.{signature}")
}

/// The same token without this claim, signed anew with this secret: its header names the key that it named before.
fn signed_anew(token: &str, secret: &str, without: Option<&str>) -> String {
    let mut claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Map<String, Value>>(token).unwrap().claims;
    if let Some(claim) = without {
        claims.remove(claim).unwrap();
    }
    let header = jsonwebtoken::decode_header(token).unwrap();
    jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The secret of somebody else's service.
const STRANGERS: &str = "zW9rT4kQ7mB1xN6vC3jH8pL5dS2fG0aY";

/// Tokens that nobody may be let in with, each with what is wrong with it.
async fn refused_tokens(server: &Server) -> Vec<(&'static str, Option<String>)> {
    let user = server.add_user("asha", Role::Admin).await;
    let claims = server.claims_of(&user).await;
    let good = sign(&claims);
    let ours = jsonwebtoken::decode_header(&good).unwrap();
    let key_id = ours.kid.unwrap();
    let header = |alg: &str, typ: &str| format!(r#"{{"alg":"{alg}","typ":"{typ}","kid":"{key_id}"}}"#);
    let mut expired = claims.clone();
    (expired.issued_at, expired.expires_at) = (expired.issued_at - Duration::HOUR, expired.expires_at - Duration::HOUR);
    let ended = server.claims_of(&user).await;
    let mut strangers = claims.clone();
    strangers.session_id = SessionId::try_from(i64::from(u32::MAX)).unwrap();
    let disabled = server.add_user("disabled", Role::Admin).await;
    let removed = server.add_user("removed", Role::Admin).await;
    let tokens = vec![
        ("no token", None),
        ("garbage", Some("garbage".to_owned())),
        ("expired", Some(sign(&expired))),
        ("wrong key", Some(signed_anew(&good, STRANGERS, None))),
        ("unknown key", Some(signed_by(STRANGERS, "rollbook", "rollbook", &claims))),
        ("wrong algorithm", Some(with_header(&good, &header("HS512", "at+jwt")))),
        ("none", Some(with_header(&good, &header("none", "at+jwt")))),
        (
            "none without a signature",
            Some(with_header(&good, &header("none", "at+jwt")).rsplit_once('.').unwrap().0.to_owned() + "."),
        ),
        ("wrong type", Some(with_header(&good, &header("HS256", "JWT")))),
        ("wrong issuer", Some(signed_by(SECRET, "somebody", "rollbook", &claims))),
        ("wrong audience", Some(signed_by(SECRET, "rollbook", "somebody", &claims))),
        ("ended session", Some(sign(&ended))),
        ("session of nobody", Some(sign(&strangers))),
        // As tokens were before there were sessions.
        ("no session", Some(signed_anew(&good, SECRET, Some("sid")))),
        ("disabled user", Some(server.token_of(&disabled).await)),
        ("removed user", Some(server.token_of(&removed).await)),
    ];
    assert!(server.stores.sessions.end(ended.session_id, user.id, &operator()).await.unwrap());
    let change = UserChange::status(Status::Disabled);
    server.stores.users.change(disabled.id, None, change, &operator()).await.unwrap();
    server.stores.users.remove(removed.id, None, &operator()).await.unwrap();
    // The tokens are wrong in one thing alone: made the same way, a right one is let in.
    let right = with_header(&good, &header("HS256", "at+jwt"));
    for right in [right, signed_anew(&good, SECRET, None)] {
        server.bearer(right).get("/me").await.expect(200);
    }
    tokens
}

on_each_engine! { req_20_every_operation_is_for_those_whom_the_table_names }

async fn req_20_every_operation_is_for_those_whom_the_table_names(engine: Engine) {
    let server = Server::start(engine).await;
    let refused = refused_tokens(&server).await;
    let mut users = Vec::new();
    for role in Role::ALL {
        users.push((role, server.add_user(role.as_str(), role).await));
    }
    let newcomer = server.add_newcomer("newcomer", Role::Admin).await;
    let mut cells = 0;
    for operation in operations() {
        let access = Access::of(&operation.id).unwrap_or_else(|| panic!("{} has no row", operation.id));
        for (kind, token) in &refused {
            let client = token.as_ref().map_or_else(|| server.anonymous(), |token| server.bearer(token));
            let status = Answer::to(client.request(&operation.method, &operation.path)).await.status;
            let wanted = if access == Access::Anybody { status != 401 } else { status == 401 };
            assert!(wanted, "{} with {kind} is {status}", operation.id);
            cells += 1;
        }
        for (role, user) in &users {
            // A session for each: some operations end it.
            let client = server.client_of(user).await;
            let status = Answer::to(client.request(&operation.method, &operation.path)).await.status;
            let allowed = match access {
                Access::Anybody | Access::Bearer => true,
                Access::Role(needs) => *role >= needs,
            };
            assert_eq!(status != 403, allowed, "{} as {role} is {status}", operation.id);
            // A refresh without a refresh token is no question of the role.
            assert_ne!(status, 401, "{} as {role}", operation.id);
            cells += 1;
        }
        let client = server.client_of(&newcomer).await;
        let answer = Answer::to(client.request(&operation.method, &operation.path)).await;
        match access {
            Access::Anybody | Access::Bearer => assert!(![401, 403].contains(&answer.status.as_u16()), "{answer:?}"),
            Access::Role(_) => drop(answer.expect_problem(403, "password-change-due")),
        }
        cells += 1;
    }
    println!("{cells} cells");
    assert_eq!(cells, ACCESS.len() * (refused.len() + users.len() + 1));
}

#[test]
fn req_20_the_table_has_a_row_for_each_operation_and_the_document_tells_it() {
    let operations = operations();
    let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids, ACCESS.iter().map(|(id, _)| *id).collect());
    for operation in &operations {
        let access = Access::of(&operation.id).unwrap();
        assert_eq!(operation.public, access == Access::Anybody, "{}", operation.id);
        assert!(operation.description.ends_with(&access.sentence()), "{}", operation.id);
        let required = if let Access::Role(role) = access { Some(role.as_str()) } else { None };
        assert_eq!(operation.required_role.as_deref(), required, "{}", operation.id);
    }
}
