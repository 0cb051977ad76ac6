//! The number of unknown usernames whose failed logins are kept.

use std::iter;
use std::time::Instant;

use domain::user::{Account, Admission, Attempts, Throttled, UsernameDigest};
use domain::{Actor, ActorId, Origin};
use futures_util::stream::{self, StreamExt};
use tests::server::{Engine, Server};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::exclusive;

const START: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);
/// Logins at the same time.
const CONCURRENT: usize = 64;

/// Attempts a login with each of these usernames, and expects the same admission for all.
async fn attempt(server: &Server, usernames: impl Iterator<Item = u32>, at: OffsetDateTime, expected: Admission) {
    let by = Actor { id: ActorId::Anonymous, at, origin: Origin::default() };
    let admissions = stream::iter(usernames).map(|number| {
        let mut digest = [7; 32];
        digest[..4].copy_from_slice(&number.to_le_bytes());
        server.stores.credentials.admit_login(Account::Unknown(UsernameDigest::new(digest)), &by)
    });
    let mut admissions = admissions.buffer_unordered(CONCURRENT);
    while let Some(admission) = admissions.next().await {
        assert_eq!(admission.unwrap(), expected);
    }
}

async fn last_100_000_are_kept(engine: Engine) {
    let _alone = exclusive().await;
    let server = Server::start(engine).await;
    let kept = Attempts::UNKNOWN_ACCOUNTS;
    let started = Instant::now();
    attempt(&server, 0..kept, START, Ok(1)).await;
    attempt(&server, (0..kept).rev(), START + Duration::DAY, Ok(2)).await;
    println!("{engine:?}: {:?} for {} logins", started.elapsed(), 2 * kept);

    let later = START + 2 * Duration::DAY;
    attempt(&server, kept..kept + kept / 2, later, Ok(1)).await;
    attempt(&server, 0..1_000, later, Ok(3)).await;
    attempt(&server, kept - 1_000..kept, later, Ok(1)).await;

    // A throttled username is kept by attempts that are rejected.
    let throttled = || iter::once(7);
    let early = Err(Throttled::RetryAfter { retry_after: Attempts::MAX_DELAY });
    for failures in 4..=20 {
        attempt(&server, throttled(), later + i32::try_from(failures).unwrap() * Attempts::MAX_DELAY, Ok(failures))
            .await;
    }
    let last = later + 20 * Attempts::MAX_DELAY;
    for part in 2..5 {
        attempt(&server, part * kept..part * kept + kept / 2, last, Ok(1)).await;
        attempt(&server, throttled(), last, early).await;
    }
}

/// REQ 16.
#[tokio::test]
async fn last_100_000_unknown_usernames_are_kept_on_sqlite() {
    last_100_000_are_kept(Engine::Sqlite).await;
}

/// REQ 16.
#[tokio::test]
async fn last_100_000_unknown_usernames_are_kept_on_postgres() {
    last_100_000_are_kept(Engine::Postgres).await;
}
