//! How soon what somebody else has changed counts at a server.

use std::time::Duration;

use tests::server::Engine;
use tokio::time::Instant;

/// The bound that a node keeps where nobody says otherwise.
const BOUND: Duration = Duration::from_secs(1);

/// Asks from now on until it is so; a request that is sent when the bound has passed must find it so.
pub async fn within_the_bound<F: Future<Output = u16>>(wanted: u16, ask: impl Fn() -> F) {
    let bound = Instant::now() + BOUND;
    loop {
        let in_time = Instant::now() < bound;
        match ask().await {
            status if status == wanted => return,
            status if !in_time => panic!("still {status} after {BOUND:?}"),
            _ => {}
        }
    }
}

/// As soon as another process on this machine has changed something: at the next request on the embedded store, within
/// the bound on PostgreSQL.
pub async fn as_promised<F: Future<Output = u16>>(engine: Engine, wanted: u16, ask: impl Fn() -> F) {
    match engine {
        Engine::Sqlite => assert_eq!(ask().await, wanted, "at the next request"),
        Engine::Postgres => within_the_bound(wanted, ask).await,
    }
}
