//! The audit log: indexes that filters use, and maintenance.

use std::time::Duration;

use domain::audit::{AuditLog, EventFilter};
use domain::{ActorId, PageRequest};
use tests::database::PostgresDatabase;
use tokio::time::timeout;

use super::{BY, open, run};

/// The events of the actor are the last ones, which the statistics of the server do not contain.
#[tokio::test]
async fn events_of_an_actor_are_not_searched_among_all() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let insert = "INSERT INTO audit_events (at, actor, action, count)
                  SELECT now(), CASE WHEN i <= 14000 THEN 'anonymous' ELSE 'operator' END, 'key.rotated', 1
                  FROM generate_series(1, 20000) AS i;
                  ANALYZE audit_events";
    run(&database, insert).await.unwrap();
    let filter = EventFilter { actor: Some(ActorId::Operator), ..EventFilter::default() };
    let page = AuditLog::page(&store, &filter, PageRequest::LARGEST).await.unwrap();
    assert_eq!(page.entries.len(), 1_000);
    store.close().await;
    let rows_read = async |index: &str| {
        let sql = format!("SELECT idx_tup_read::text FROM pg_stat_user_indexes WHERE indexrelname = '{index}'");
        database.texts(&sql).await.remove(0)
    };
    // The server publishes the numbers when the connection is closed.
    let published = async { while rows_read("audit_events_actor").await == "0" {} };
    timeout(Duration::from_secs(15), published).await.expect("the index of the actor is used");
    // The planner reads the lowest and the highest id.
    let of_all: u32 = rows_read("audit_events_pkey").await.parse().unwrap();
    assert!(of_all <= 10, "{of_all}");
}

/// Otherwise each page of a filter by time would read a row of each process and block since the first event.
#[tokio::test]
async fn rows_of_audit_blocks_are_merged() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    // Blocks 0 and 1, then 1 and 2.
    for hour in [1, 0] {
        let insert = format!(
            "INSERT INTO audit_events (at, actor, action, count)
             SELECT timestamptz '2026-11-23 12:00Z' + interval '{hour} h' + interval '1 s' * i, 'operator', 'key.rotated', 1
             FROM generate_series(0, 9) AS i, generate_series(1, 150)"
        );
        run(&database, insert).await.unwrap();
    }
    let rows =
        "SELECT block || CASE WHEN writer = 0 THEN ' merged' ELSE '' END FROM audit_blocks ORDER BY block, writer";
    for expected in [vec!["0", "1", "1", "2"], vec!["0 merged", "1 merged", "2"], vec!["0 merged", "1 merged", "2"]] {
        assert_eq!(database.texts(rows).await, expected);
        for since in [BY.at, BY.at + time::Duration::HOUR] {
            let before = Some(since + time::Duration::SECOND);
            let filter = EventFilter { since: Some(since), before, ..EventFilter::default() };
            let found = AuditLog::page(&store, &filter, PageRequest::LARGEST).await.unwrap().entries;
            assert_eq!(found.len(), 150, "{since} {expected:?}");
        }
        store.maintain(BY.at, &BY).await.unwrap();
    }
}
