//! A server with injected faults, and the requests that provoke each problem.

use std::sync::Arc;

use app::composition::Policies;
use app::http::access::Access;
use domain::access::{PermissionEntry, Requirement, Role};
use domain::quota::RequestQuota;
use domain::record::Record;
use domain::student::{ChangePosition, ChangeToken};
use domain::user::{Account, Admission, Attempts, Throttled, User};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::clock::TestClock;
use tests::faults::{Fault, Faults, Switch};
use tests::recording::RecordedRequest;
use tests::server::{Engine, ORIGIN, PASSWORD, Server, Setup, operator};
use tokio::io::AsyncWriteExt;

use super::operation::Operation;
use crate::connections::{connect, read_response};

/// One byte more than the largest accepted body.
const TOO_LARGE: usize = (1 << 20) + 1;

/// Number of the administrator's unused sessions.
pub const ADMIN_SESSIONS: usize = 40;

/// A server with two students, one administrator, and fault switches. Its clock is stopped, so delays never end.
pub struct Scene {
    pub server: Server,
    pub faults: Faults,
    admin: Record<User>,
    /// Client of the administrator.
    pub client: Client,
    /// Clients of the administrator, each with an unused session that is not yet cached.
    pub fresh: Vec<Client>,
    viewer: Client,
    newcomer: Client,
    /// Client of a user with throttled logins.
    throttled: Client,
    /// Client of a user with a locked account.
    locked: Client,
    /// The latest token of the feed of changes, whose first change was deleted.
    token: ChangeToken,
}

impl Scene {
    pub async fn start(requests: RequestQuota) -> Self {
        let faults = Faults::default();
        let setup = Setup {
            faults: Some(faults.clone()),
            policies: Policies { requests, ..Policies::default() },
            ..Setup::with_clock(&Arc::new(TestClock::at(operator().at)))
        };
        let server = Server::start_with(Engine::Sqlite, setup).await;
        let admin = server.add_user("admin", Role::Admin).await;
        let client = server.client_of(&admin).await;
        for number in [1, 2] {
            let student = json!({ "name": "Asha", "email": "asha@example.org", "roll_no": number, "external_id": format!("A{number}") });
            client.send("POST", "/students", &student).await.expect(201);
        }
        let mut fresh = Vec::new();
        for _ in 0..ADMIN_SESSIONS {
            fresh.push(server.client_of(&admin).await);
        }
        let viewer = server.client(Role::Viewer).await;
        let newcomer = server.add_user_with_due_password_change("newcomer", Role::Registrar).await;
        let newcomer = server.client_of(&newcomer).await;
        let throttled =
            throttled_client(&server, "throttled", Err(Throttled::RetryAfter { retry_after: time::Duration::SECOND }))
                .await;
        let locked = throttled_client(&server, "locked", Err(Throttled::Locked)).await;
        let feed = &server.stores.changes;
        feed.delete_before(operator().at + time::Duration::DAY, 1).await.unwrap();
        let token = feed.latest().await.unwrap();
        Self { server, faults, admin, client, fresh, viewer, newcomer, throttled, locked, token }
    }

    /// A request of this client for the operation on an existing record, without a body.
    pub fn bare(&self, operation: &Operation, caller: &Client) -> RequestBuilder {
        caller.request(&operation.method, &format!("{}{}", self.path(operation), operation.query(&self.token)))
    }

    /// The same with a valid body.
    pub fn valid(&self, operation: &Operation, caller: &Client) -> RequestBuilder {
        with(self.bare(operation, caller), operation.body())
    }

    fn path(&self, operation: &Operation) -> String {
        let id = if operation.path.starts_with("/users") { self.admin.id.get() } else { 1 };
        operation.path.replace("{id}", &id.to_string())
    }

    /// A request of the administrator with this query and without a body.
    fn with_query(&self, operation: &Operation, query: &str) -> RequestBuilder {
        self.client.request(&operation.method, &format!("{}{query}", self.path(operation)))
    }

    /// The responses to all requests that provoke a problem of an operation.
    pub async fn provoke(&self, operation: &Operation, slug: &str) -> Vec<Response> {
        let mut responses = Vec::new();
        for request in self.requests(operation, slug) {
            responses.push(Response::fetch(request).await);
        }
        if slug == "malformed-body" {
            responses.push(self.broken_chunk(operation).await);
        }
        let Faults { stores, session_lookup, clock, hasher } = &self.faults;
        let injected: &[(&Switch, Fault)] = match slug {
            "internal-error" => &[
                (stores, Fault::Failed),
                (stores, Fault::Panic),
                (session_lookup, Fault::Failed),
                (clock, Fault::Panic),
            ],
            "store-unavailable" => &[(stores, Fault::Unavailable), (session_lookup, Fault::Unavailable)],
            "busy" => &[(hasher, Fault::Unavailable)],
            _ => &[],
        };
        for (switch, fault) in injected {
            switch.inject(*fault);
            let response = Response::fetch(self.valid(operation, &self.client)).await;
            switch.clear();
            // Another status means that the operation does not use the faulty port.
            if response.status.is_server_error() {
                responses.push(response);
            }
        }
        responses
    }

    /// The response to a chunked body with an invalid chunk length.
    async fn broken_chunk(&self, operation: &Operation) -> Response {
        let (method, path) = (&operation.method, format!("{}{}", self.path(operation), operation.query(&self.token)));
        let token = self.client.token().unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nOrigin: {ORIGIN}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
        );
        let mut connection = connect(&self.server.address().to_string()).await;
        connection.write_all(request.as_bytes()).await.unwrap();
        let text = read_response(&mut connection).await;
        RecordedRequest::record_raw(method, &path, &text);
        Response::parse(&text)
    }

    /// The requests that provoke a problem without an injected fault.
    fn requests(&self, operation: &Operation, slug: &str) -> Vec<RequestBuilder> {
        let bare = || self.bare(operation, &self.client);
        let valid = || self.valid(operation, &self.client);
        let json = |body: Value| vec![bare().json(&body)];
        let after = |token: ChangeToken| vec![self.with_query(operation, &operation.query(&token))];
        match slug {
            "malformed-query" => vec![self.with_query(operation, "?name=%ff")],
            // Legacy operations return other problems for a body that is not JSON.
            "malformed-body" if operation.is_legacy() => Vec::new(),
            "malformed-body" => vec![bare().header("content-type", "application/json").body("{")],
            "incomplete-credentials" => json(json!({})),
            "invalid-student-data" => json(json!({ "name": 7, "rollno": 9 })),
            "missing-student-id" => vec![self.with_query(operation, "")],
            "wrong-student-id" => vec![with(self.with_query(operation, "?student_id=999"), operation.body())],
            "unauthorized" => {
                [self.server.anonymous(), self.server.bearer("x.y.z")].map(|by| self.bare(operation, &by)).into()
            }
            "invalid-credentials" => json(json!({ "Username": "unknown", "Password": "x" })),
            "invalid-refresh-token" => vec![valid()],
            "insufficient-role" => {
                let is_for_viewers = matches!(
                    operation.access,
                    Access::Permission(PermissionEntry { requirement: Requirement::Role(Role::Viewer), .. })
                );
                assert!(!is_for_viewers, "{} is permitted for viewers", operation.id);
                vec![self.bare(operation, &self.viewer)]
            }
            "password-change-due" => vec![self.bare(operation, &self.newcomer)],
            "record-not-found" => {
                let path = operation.path.replace("{id}", "999");
                vec![with(self.client.request(&operation.method, &path), operation.body())]
            }
            "not-acceptable" => vec![valid().header("accept", "image/png")],
            "roll-number-taken" => json(operation.body_with("roll_no", json!(2))),
            "external-id-taken" => json(operation.body_with("external_id", json!("A2"))),
            "username-taken" => json(operation.body_with("username", json!("ADMIN"))),
            "last-administrator" => vec![with(bare(), operation.has_body.then_some(&json!({ "role": "viewer" })))],
            "change-token-of-another-feed" => after(ChangeToken { feed: self.token.feed ^ 1, ..self.token }),
            "change-token-from-the-future" => {
                let position = ChangePosition { number: i64::MAX, ..self.token.position };
                after(ChangeToken { position, ..self.token })
            }
            "change-token-expired" => after(ChangeToken { position: ChangePosition::START, ..self.token }),
            "malformed-condition" => ["if-match", "if-none-match"].map(|name| valid().header(name, "999-9")).into(),
            "stale-version" => vec![valid().header("if-match", "\"999-9\"")],
            "payload-too-large" => {
                vec![bare().header("content-type", "application/json").body(vec![b' '; TOO_LARGE])]
            }
            "unsupported-media-type" if operation.is_legacy() => vec![valid().header("content-encoding", "gzip")],
            "unsupported-media-type" => {
                vec![bare().header("content-type", "text/plain").body("{}"), valid().header("content-encoding", "gzip")]
            }
            "invalid-fields" if operation.has_body => json(json!({ "nonsense": true })),
            "invalid-fields" => vec![self.with_query(operation, "?nonsense=1")],
            "too-many-attempts" => vec![self.attempt(operation, "throttled", &self.throttled)],
            "account-locked" => vec![self.attempt(operation, "locked", &self.locked)],
            // These need an injected fault.
            "internal-error" | "store-unavailable" | "busy" => Vec::new(),
            other => panic!("{} can return {other}, and no request here provokes it", operation.id),
        }
    }

    /// A password attempt: a login, or an operation that verifies the current password.
    fn attempt(&self, operation: &Operation, name: &str, client: &Client) -> RequestBuilder {
        match operation.id.as_str() {
            "logIn" => self.bare(operation, &self.client).json(&json!({ "Username": name, "Password": PASSWORD })),
            _ => self.valid(operation, client),
        }
    }
}

/// A client of a new user, after logins until the throttle returns this result.
async fn throttled_client(server: &Server, name: &str, end: Admission) -> Client {
    let user = server.add_user(name, Role::Viewer).await;
    let client = server.client_of(&user).await;
    let mut by = operator();
    loop {
        let admission = server.stores.credentials.admit_login(Account::User(user.id), &by).await.unwrap();
        if admission == end {
            return client;
        }
        if admission.is_err() {
            by.at += Attempts::MAX_DELAY;
        }
    }
}

fn with(request: RequestBuilder, body: Option<&Value>) -> RequestBuilder {
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}
