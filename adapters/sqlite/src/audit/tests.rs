use domain::ActorId;
use tempfile::TempDir;

use super::*;

/// Every combination of conditions.
fn filters() -> impl Iterator<Item = EventFilter> {
    (0..32_u8).map(|set| {
        let is_set = |bit: u8| set & (1 << bit) != 0;
        EventFilter {
            actor: is_set(0).then_some(ActorId::Operator),
            action: is_set(1).then_some(Action::KEY_ROTATED),
            target: is_set(2).then(|| Target::key("k")),
            since: is_set(3).then_some(OffsetDateTime::UNIX_EPOCH),
            before: is_set(4).then_some(OffsetDateTime::UNIX_EPOCH),
        }
    })
}

fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps.join("; ")
}

#[test]
fn conditions_with_the_fewest_events_are_read_first() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rollbook.db");
    let _store = SqliteStore::open(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let insert = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO audit_events (at, actor, action, target, count)
         SELECT i, CASE WHEN i <= 2000 THEN 'anonymous' ELSE 'operator' END, 'login.refused',
             CASE WHEN i <= 2500 THEN 'user:1' ELSE 'user:2' END, 1 FROM n";
    connection.execute_batch(insert).unwrap();
    let filter = |actor, target: &str| EventFilter {
        actor: Some(actor),
        action: Some(Action::LOGIN_DENIED),
        target: target.parse().ok(),
        ..EventFilter::default()
    };
    for (actor, target, position, expected) in [
        (ActorId::Operator, "user:1", 0, false),
        (ActorId::Anonymous, "user:1", 0, false),
        (ActorId::Operator, "user:2", 0, true),
        (ActorId::Anonymous, "user:3", 0, true),
        (ActorId::Anonymous, "user:1", 1_800, true),
    ] {
        let first = starts_with_target(&connection, &filter(actor, target), position).unwrap();
        assert_eq!(first, expected, "{actor} {target} {position}");
    }
}

#[test]
fn every_filter_searches_one_index_in_order_of_id() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rollbook.db");
    let _store = SqliteStore::open(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    for (filter, starts_with_target) in filters().flat_map(|filter| [(filter.clone(), true), (filter, false)]) {
        let EventFilter { actor, action, target, .. } = &filter;
        let is_by_target = target.is_some() && (starts_with_target || (actor.is_none() && action.is_none()));
        let columns = [
            ("actor", actor.is_some() && !is_by_target),
            ("action", action.is_some() && !is_by_target),
            ("target", is_by_target),
        ];
        let equal: Vec<_> =
            columns.into_iter().filter(|(_, is)| *is).map(|(name, _)| format!("{name}=? AND ")).collect();
        let id = if equal.is_empty() { "rowid" } else { "id" };
        let expected = format!("({}{id}>? AND {id}<?)", equal.concat());
        let plan = plan(&connection, page(&filter, starts_with_target));
        assert!(plan.starts_with("SEARCH audit_events USING") && plan.ends_with(&expected), "{filter:?}: {plan}");
    }
    let prune = plan(&connection, PRUNE);
    assert!(prune.contains("audit_events_at (at<?)") && !prune.contains("SCAN"), "{prune}");
}
