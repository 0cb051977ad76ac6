//! A server on which everything can go wrong, and how each problem is brought about there.

use std::sync::Arc;

use app::composition::Policies;
use app::http::access::Access;
use domain::access::{PermissionEntry, Requirement, Role};
use domain::quota::RequestQuota;
use domain::record::Record;
use domain::user::{Admission, Attempts, Throttled, User};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::clock::TestClock;
use tests::faults::{Fault, Faults, Switch};
use tests::recording::Asked;
use tests::server::{Engine, ORIGIN, PASSWORD, Server, Setup, operator};
use tokio::io::AsyncWriteExt;

use super::operation::Operation;
use crate::connections::{answer, connect};

/// Larger than any body that is taken.
const TOO_LARGE: usize = (1 << 20) + 1;

/// How many sessions the administrator has that were never used.
pub const ADMIN_SESSIONS: usize = 40;

/// A server with two students, one administrator, and faults to come. Its clock stands still: whoever has to wait goes on
/// waiting.
pub struct Scene {
    pub server: Server,
    pub faults: Faults,
    admin: Record<User>,
    /// The administrator's.
    pub client: Client,
    /// The administrator's too, each of a session that nobody has asked for yet.
    pub fresh: Vec<Client>,
    viewer: Client,
    newcomer: Client,
    /// Of a user whose failed logins are used up for now.
    guessed: Client,
    /// Of a user whose account is locked.
    locked: Client,
}

impl Scene {
    pub async fn set(requests: RequestQuota) -> Self {
        let faults = Faults::default();
        let setup = Setup {
            clock: Arc::new(TestClock::at(operator().at)),
            faults: Some(faults.clone()),
            policies: Policies { requests, ..Policies::default() },
            ..Setup::default()
        };
        let server = Server::start_with(Engine::Sqlite, setup).await;
        let admin = server.add_user("admin", Role::Admin).await;
        let client = server.client_of(&admin).await;
        for number in [1, 2] {
            let student = json!({ "name": "Asha", "email": "asha@example.org", "roll_no": number });
            client.send("POST", "/students", &student).await.expect(201);
        }
        let mut fresh = Vec::new();
        for _ in 0..ADMIN_SESSIONS {
            fresh.push(server.client_of(&admin).await);
        }
        let viewer = server.client(Role::Viewer).await;
        let newcomer = server.add_newcomer("newcomer", Role::Registrar).await;
        let newcomer = server.client_of(&newcomer).await;
        let guessed =
            guessed_until(&server, "guessed", Err(Throttled::Early { retry_after: time::Duration::SECOND })).await;
        let locked = guessed_until(&server, "locked", Err(Throttled::Locked)).await;
        Self { server, faults, admin, client, fresh, viewer, newcomer, guessed, locked }
    }

    /// The operation on a record that exists, by this caller, without a body.
    pub fn bare(&self, operation: &Operation, caller: &Client) -> RequestBuilder {
        caller.request(&operation.method, &format!("{}{}", self.path(operation), operation.query()))
    }

    /// The same with a body that is taken.
    pub fn good(&self, operation: &Operation, caller: &Client) -> RequestBuilder {
        with(self.bare(operation, caller), operation.body())
    }

    fn path(&self, operation: &Operation) -> String {
        let id = if operation.path.starts_with("/users") { self.admin.id.get() } else { 1 };
        operation.path.replace("{id}", &id.to_string())
    }

    /// The same without the operation's own query.
    fn asking(&self, operation: &Operation, query: &str) -> RequestBuilder {
        self.client.request(&operation.method, &format!("{}{query}", self.path(operation)))
    }

    /// The answers to everything that brings a problem of an operation about.
    pub async fn provoke(&self, operation: &Operation, slug: &str) -> Vec<Answer> {
        let mut answers = Vec::new();
        for request in self.requests(operation, slug) {
            answers.push(Answer::to(request).await);
        }
        if slug == "malformed-body" {
            answers.push(self.broken_chunk(operation).await);
        }
        let Faults { stores, session_lookup, clock, hasher } = &self.faults;
        let broken: &[(&Switch, Fault)] = match slug {
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
        for (switch, fault) in broken {
            switch.break_by(*fault);
            let answer = Answer::to(self.good(operation, &self.client)).await;
            switch.mend();
            // Else it does not need what is broken.
            if answer.status.is_server_error() {
                answers.push(answer);
            }
        }
        answers
    }

    /// The response to a body whose first chunk has no length.
    async fn broken_chunk(&self, operation: &Operation) -> Answer {
        let (method, path) = (&operation.method, format!("{}{}", self.path(operation), operation.query()));
        let token = self.client.token().unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nOrigin: {ORIGIN}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
        );
        let mut connection = connect(&self.server.address().to_string()).await;
        connection.write_all(request.as_bytes()).await.unwrap();
        let text = answer(&mut connection).await;
        Asked::by_hand(method, &path, &text);
        Answer::of_text(&text)
    }

    /// The requests that bring a problem about by themselves.
    fn requests(&self, operation: &Operation, slug: &str) -> Vec<RequestBuilder> {
        let bare = || self.bare(operation, &self.client);
        let good = || self.good(operation, &self.client);
        let json = |body: Value| vec![bare().json(&body)];
        match slug {
            "malformed-query" => vec![self.asking(operation, "?name=%ff")],
            // The operations of the articles have problems of their own for a body that is not JSON.
            "malformed-body" if operation.is_legacy() => Vec::new(),
            "malformed-body" => vec![bare().header("content-type", "application/json").body("{")],
            "incomplete-credentials" => json(json!({})),
            "invalid-student-data" => json(json!({ "name": 7, "rollno": 9 })),
            "missing-student-id" => vec![self.asking(operation, "")],
            "wrong-student-id" => vec![with(self.asking(operation, "?student_id=999"), operation.body())],
            "unauthorized" => {
                [self.server.anonymous(), self.server.bearer("x.y.z")].map(|by| self.bare(operation, &by)).into()
            }
            "invalid-credentials" => json(json!({ "Username": "nobody", "Password": "x" })),
            "invalid-refresh-token" => vec![good()],
            "insufficient-role" => {
                let is_for_viewers = matches!(
                    operation.access,
                    Access::Permission(PermissionEntry { requirement: Requirement::Role(Role::Viewer), .. })
                );
                assert!(!is_for_viewers, "{} is for viewers, too", operation.id);
                vec![self.bare(operation, &self.viewer)]
            }
            "password-change-due" => vec![self.bare(operation, &self.newcomer)],
            "record-not-found" => {
                let path = operation.path.replace("{id}", "999");
                vec![with(self.client.request(&operation.method, &path), operation.body())]
            }
            "not-acceptable" => vec![good().header("accept", "image/png")],
            "roll-number-taken" => json(operation.body_with("roll_no", json!(2))),
            "username-taken" => json(operation.body_with("username", json!("ADMIN"))),
            "last-administrator" => vec![with(bare(), operation.takes_body.then_some(&json!({ "role": "viewer" })))],
            "stale-version" => vec![good().header("if-match", "\"999-9\"")],
            "payload-too-large" => {
                vec![bare().header("content-type", "application/json").body(vec![b' '; TOO_LARGE])]
            }
            "unsupported-media-type" if operation.is_legacy() => vec![good().header("content-encoding", "gzip")],
            "unsupported-media-type" => {
                vec![bare().header("content-type", "text/plain").body("{}"), good().header("content-encoding", "gzip")]
            }
            "invalid-fields" if operation.takes_body => json(json!({ "nonsense": true })),
            "invalid-fields" => vec![self.asking(operation, "?nonsense=1")],
            "too-many-attempts" => vec![self.guess(operation, "guessed", &self.guessed)],
            "account-locked" => vec![self.guess(operation, "locked", &self.locked)],
            // What no request does by itself.
            "internal-error" | "store-unavailable" | "busy" => Vec::new(),
            other => panic!("{} can answer {other}, and this test does not know how", operation.id),
        }
    }

    /// A try at somebody's password: at the login, or as whoever found a token.
    fn guess(&self, operation: &Operation, name: &str, client: &Client) -> RequestBuilder {
        match operation.id.as_str() {
            "logIn" => self.bare(operation, &self.client).json(&json!({ "Username": name, "Password": PASSWORD })),
            _ => self.good(operation, client),
        }
    }
}

/// A client of a user whose password was guessed at until the answer was this one.
async fn guessed_until(server: &Server, name: &str, end: Admission) -> Client {
    let user = server.add_user(name, Role::Viewer).await;
    let client = server.client_of(&user).await;
    let mut by = operator();
    loop {
        let admission = server.stores.credentials.admit_login(user.id, &by).await.unwrap();
        if admission == end {
            return client;
        }
        if admission.is_err() {
            by.at += Attempts::LONGEST_WAIT;
        }
    }
}

fn with(request: RequestBuilder, body: Option<&Value>) -> RequestBuilder {
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}
