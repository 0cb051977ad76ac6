//! Assertions on how soon a change by another process takes effect at a server.

use std::time::Duration;

use tests::server::Engine;
use tokio::time::Instant;

/// The default revocation bound.
const BOUND: Duration = Duration::from_secs(1);

/// Repeats the request until it returns this status. A request sent after the bound must return it.
pub async fn within_revocation_bound<F: Future<Output = u16>>(expected: u16, request: impl Fn() -> F) {
    let bound = Instant::now() + BOUND;
    loop {
        let in_time = Instant::now() < bound;
        match request().await {
            status if status == expected => return,
            status if !in_time => panic!("still {status} after {BOUND:?}"),
            _ => {}
        }
    }
}

/// Asserts that a change by another process on this machine takes effect: from the next request on SQLite, within the
/// bound on PostgreSQL.
pub async fn takes_effect<F: Future<Output = u16>>(engine: Engine, expected: u16, request: impl Fn() -> F) {
    match engine {
        Engine::Sqlite => assert_eq!(request().await, expected, "at the next request"),
        Engine::Postgres => within_revocation_bound(expected, request).await,
    }
}
