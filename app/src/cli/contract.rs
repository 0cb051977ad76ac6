//! `rollbook serve --contract`: what a team needs that tests its own client against the service. Everything is known:
//! students, users, passwords, tokens and the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use adapter_jwt::{JwtTokens, TokenPolicy};
use domain::access::Role;
use domain::login::LoggedIn;
use domain::record::Record;
use domain::student::Student;
use domain::token::{Claims, TokenId, TokenLifetime, Tokens};
use domain::user::User;
use domain::{Actor, Origin, Who};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::demo::{create_students, make_users};
use super::failure::Failure;
use super::output;
use super::throw_away::signing_key;
use crate::http::UseCases;
use crate::stores::Stores;
use crate::system::SystemRandom;

/// Where the service's clock begins.
pub const START: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

/// Name and role. The second administrator is there to mend what a test does to the first.
const USERS: [(&str, Role); 4] =
    [("viewer", Role::Viewer), ("registrar", Role::Registrar), ("admin", Role::Admin), ("spare", Role::Admin)];

/// Everybody's, and as good as a new one has to be.
const PASSWORD: &str = "nine quiet herons by a weir";

/// Who is in the store.
pub struct SampleData {
    users: Vec<Record<User>>,
    students: Vec<Record<Student>>,
}

/// Fills an empty store.
pub async fn fill(stores: &Stores) -> Result<SampleData, Failure> {
    let by = Actor::here(Who::Service, START);
    let users = make_users(stores, &USERS, PASSWORD, &by).await?;
    Ok(SampleData { users, students: create_students(stores, &by).await? })
}

/// What scripts are told, as one line of JSON.
#[derive(Serialize)]
struct Announcement {
    base_url: String,
    /// Where the service's clock began; it runs on from there.
    clock: String,
    users: Vec<KnownUser>,
    /// By the name of their user; `expired` and `forged` are the administrator's, and refused.
    tokens: BTreeMap<&'static str, String>,
    refresh_tokens: BTreeMap<&'static str, String>,
    student_ids: Vec<i64>,
}

#[derive(Serialize)]
struct KnownUser {
    id: i64,
    username: String,
    password: &'static str,
    role: &'static str,
}

/// Logs everybody in, and prints the announcement on standard output.
pub async fn announce(
    address: SocketAddr,
    samples: &SampleData,
    use_cases: &UseCases,
    ours: &JwtTokens,
    (policy, lifetime): (TokenPolicy, TokenLifetime),
) -> Result<(), Failure> {
    let (mut tokens, mut refresh_tokens) = (BTreeMap::new(), BTreeMap::new());
    for (username, role) in USERS {
        let LoggedIn { grant, session, .. } =
            use_cases.log_in.log_in(username, PASSWORD, None, Origin::default()).await.outcome?;
        tokens.insert(username, grant.token.expose().to_owned());
        refresh_tokens.insert(username, grant.refresh_token.expose());
        if (username, role) == ("admin", Role::Admin) {
            let issued = |at| {
                TokenId::random(&SystemRandom).map(|id| Claims::new(session.user_id, session.id, id, at, lifetime))
            };
            let long_ago = use_cases.clock.now() - Duration::seconds(lifetime.seconds()) - Duration::HOUR;
            tokens.insert("expired", ours.sign(&issued(long_ago)?)?.expose().to_owned());
            let theirs = JwtTokens::new(&signing_key()?, policy.clone())?;
            tokens.insert("forged", forged(ours, &theirs, &issued(use_cases.clock.now())?)?);
        }
    }
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
        student_ids: samples.students.iter().map(|student| student.id.get()).collect(),
    };
    output::line(serde_json::to_string(&announcement)?)
}

/// A token that says what ours would, in our key's name, under somebody else's signature.
fn forged(ours: &JwtTokens, theirs: &JwtTokens, claims: &Claims) -> Result<String, Failure> {
    let (ours, theirs) = (ours.sign(claims)?, theirs.sign(claims)?);
    let said = ours.expose().rsplit_once('.').map_or("", |(said, _)| said);
    let signature = theirs.expose().rsplit('.').next().unwrap_or_default();
    Ok(format!("{said}.{signature}"))
}
