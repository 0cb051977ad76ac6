//! `rollbook serve --contract`: a server for client tests, with known students, users, passwords, tokens and time.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use adapter_jwt::{JwtTokens, TokenPolicy};
use domain::access::Role;
use domain::login::LoggedIn;
use domain::record::Record;
use domain::student::{ChangeToken, Student};
use domain::token::{Claims, TokenId, TokenLifetime, Tokens};
use domain::user::User;
use domain::{Actor, ActorId, Origin};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::demo::{create_students, create_users};
use super::durable_sessions::DurableSessions;
use super::failure::Failure;
use super::output;
use super::temporary_store::signing_key;
use crate::http::UseCases;
use crate::stores::Stores;
use crate::system::SystemRandom;

/// Initial time of the server's clock.
pub const START: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

/// Username and role. The second administrator can repair changes that a test makes to the first.
const USERS: [(&str, Role); 4] =
    [("viewer", Role::Viewer), ("registrar", Role::Registrar), ("admin", Role::Admin), ("spare", Role::Admin)];

/// Password of every user; satisfies the rules for new passwords.
const PASSWORD: &str = "nine quiet herons by a weir";

/// Greater than the roll numbers of the sample data and of the document's examples.
const UNUSED_ROLL_NUMBERS: RangeInclusive<i64> = 1001..=1100;

/// Records in the store.
pub struct SampleData {
    users: Vec<Record<User>>,
    students: Vec<Record<Student>>,
    change_token: ChangeToken,
}

/// Fills an empty store with the sample data.
pub async fn fill(stores: &Stores) -> Result<SampleData, Failure> {
    let by = Actor::here(ActorId::Service, START);
    let change_token = stores.changes.latest().await?;
    let users = create_users(stores, &USERS, PASSWORD, &by).await?;
    Ok(SampleData { users, students: create_students(stores, &by).await?, change_token })
}

/// Data for test scripts, printed as one line of JSON.
#[derive(Serialize)]
struct Announcement {
    base_url: String,
    /// Initial time of the server's clock, which advances from there.
    clock: String,
    users: Vec<KnownUser>,
    /// Keyed by username. `expired` and `forged` are rejected tokens of the administrator.
    tokens: BTreeMap<&'static str, String>,
    refresh_tokens: BTreeMap<&'static str, String>,
    /// Keyed by username; valid until the user is disabled or deleted, even after `POST /logout`.
    durable_tokens: BTreeMap<&'static str, String>,
    student_ids: Vec<i64>,
    /// Neither in the store nor in the examples of the document.
    unused_roll_numbers: Vec<i64>,
    /// Position in the changes of students before the sample data.
    change_token: String,
}

#[derive(Serialize)]
struct KnownUser {
    id: i64,
    username: String,
    password: &'static str,
    role: &'static str,
}

/// Logs in all users and prints the announcement to standard output.
pub async fn print_announcement(
    address: SocketAddr,
    samples: &SampleData,
    (use_cases, durable): (&UseCases, &DurableSessions),
    signer: &JwtTokens,
    (policy, lifetime): (TokenPolicy, TokenLifetime),
) -> Result<(), Failure> {
    let (mut tokens, mut refresh_tokens) = (BTreeMap::new(), BTreeMap::new());
    let (mut durable_tokens, mut durable_sessions) = (BTreeMap::new(), BTreeMap::new());
    for (username, role) in USERS {
        let log_in = || use_cases.log_in.log_in(username, PASSWORD, None, Origin::default(), pending());
        let LoggedIn { grant, session, .. } = log_in().await.outcome?;
        durable_tokens.insert(username, grant.token.expose().to_owned());
        durable_sessions.insert(session.id, session.user_id);
        let LoggedIn { grant, session, .. } = log_in().await.outcome?;
        tokens.insert(username, grant.token.expose().to_owned());
        refresh_tokens.insert(username, grant.refresh_token.expose());
        if (username, role) == ("admin", Role::Admin) {
            let issued = |at| {
                TokenId::random(&SystemRandom).map(|id| Claims::new(session.user_id, session.id, id, at, lifetime))
            };
            let long_ago = use_cases.clock.now() - Duration::seconds(lifetime.seconds()) - Duration::HOUR;
            tokens.insert("expired", signer.sign(&issued(long_ago)?)?.expose().to_owned());
            let other = JwtTokens::new(&signing_key()?, policy.clone())?;
            tokens.insert("forged", forged(signer, &other, &issued(use_cases.clock.now())?)?);
        }
    }
    durable.set(durable_sessions);
    let known = |user: &Record<User>| KnownUser {
        id: user.id.get(),
        username: user.username.to_string(),
        password: PASSWORD,
        role: user.role.as_str(),
    };
    let announcement = Announcement {
        base_url: format!("http://{address}"),
        clock: START.format(&Rfc3339)?,
        users: samples.users.iter().map(known).collect(),
        tokens,
        refresh_tokens,
        durable_tokens,
        student_ids: samples.students.iter().map(|student| student.id.get()).collect(),
        unused_roll_numbers: UNUSED_ROLL_NUMBERS.collect(),
        change_token: samples.change_token.to_string(),
    };
    output::line(serde_json::to_string(&announcement)?)
}

/// A token with the header and claims of `signer`, but the signature of `other`.
fn forged(signer: &JwtTokens, other: &JwtTokens, claims: &Claims) -> Result<String, Failure> {
    let (valid, other) = (signer.sign(claims)?, other.sign(claims)?);
    let content = valid.expose().rsplit_once('.').map_or("", |(content, _)| content);
    let signature = other.expose().rsplit('.').next().unwrap_or_default();
    Ok(format!("{content}.{signature}"))
}
