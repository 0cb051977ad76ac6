//! `rollbook audit …`, and the events that other commands record.

use std::fs;

use tests::program::Outcome;
use tests::server::Engine;
use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT, on_each_engine, stop};

const RING: [&str; 2] = ["--keys", "ring.json"];

async fn succeeds(installation: &Installation, arguments: &[&str], line: Option<&str>) -> Outcome {
    let outcome = installation.run(arguments, line).await;
    assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""), "{arguments:?}");
    outcome
}

/// Actor, action and target of each matching event.
async fn listed(installation: &Installation, filter: &[&str]) -> Vec<String> {
    let outcome = succeeds(installation, &[&["audit", "list"], filter].concat(), None).await;
    outcome
        .stdout
        .lines()
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 9, "{line}");
            columns[2..5].join(" ")
        })
        .collect()
}

async fn operator_commands_are_audited(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    let create = ["user", "create", "asha", "--password-stdin"];
    succeeds(&installation, &create, Some("a long enough pass phrase")).await;
    succeeds(&installation, &["user", "set-role", "asha", "registrar"], None).await;
    server.log_in("asha", "a long enough pass phrase").await;
    succeeds(&installation, &["user", "delete", "asha"], None).await;
    stop(server).await;
    assert_eq!(listed(&installation, &["--actor", "service"]).await, ["service user.created user:1"]);
    let by_operator = ["operator user.created user:2", "operator user.updated user:2"];
    let operator = listed(&installation, &["--actor", "operator"]).await;
    assert_eq!(operator[..2], by_operator);
    assert_eq!(operator.last().unwrap(), "operator user.deleted user:2");
    assert_eq!(listed(&installation, &["--actor", "user:2"]).await, ["user:2 session.opened session:1"]);
    assert_eq!(listed(&installation, &["--action", "user.updated"]).await, by_operator[1..]);
    assert_eq!(listed(&installation, &["--since", "2999-01-01T00:00:00Z"]).await, [] as [&str; 0]);
    assert!(listed(&installation, &["--before", "2999-01-01T00:00:00Z"]).await.len() > 4);
}

async fn rejected_logins_are_audited_when_server_stops(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    for _ in 0..2 {
        let wrong = serde_json::json!({"Username": "admin", "Password": "a wrong pass phrase"});
        server.client(None).send("POST", "/login", &wrong).await.expect_problem(401, "invalid-credentials");
    }
    stop(server).await;
    let rejected = succeeds(&installation, &["audit", "list", "--action", "login.refused"], None).await.stdout;
    // Two events if the denied-access log was flushed between the logins.
    let counts = rejected.lines().map(|line| line.split('\t').nth(5).unwrap().parse::<u32>().unwrap());
    assert_eq!(counts.sum::<u32>(), 2, "{rejected}");
    assert!(rejected.lines().all(|line| line.contains("anonymous\tlogin.refused\tuser:1")), "{rejected}");
}

async fn key_changes_are_audited_before_they_take_effect(engine: Engine) {
    let installation = Installation::new(engine);
    let keys = async |arguments: &[&str]| {
        let outcome = succeeds(&installation, &[&["keys"][..], arguments, &RING].concat(), None).await;
        outcome.stdout.split(' ').nth(2).unwrap_or_default().to_owned()
    };
    installation.migrate().await;
    let first = keys(&["generate"]).await;
    let second = keys(&["rotate", "--algorithm", "EdDSA", "--announce", "0s"]).await;
    keys(&["retire", &first, "--revoke"]).await;
    let events = [
        format!("operator key.generated key:{first}"),
        format!("operator key.rotated key:{second}"),
        format!("operator key.revoked key:{first}"),
    ];
    assert_eq!(listed(&installation, &[]).await, events);
    keys(&["rotate", "--without-audit"]).await;
    assert_eq!(listed(&installation, &[]).await, events);
    let rejected = installation.run(&[&["keys", "retire", "unknown"][..], &RING].concat(), None).await;
    assert_eq!(rejected.status, Some(1));
    assert_eq!(listed(&installation, &[]).await, events);

    let ring = installation.data("").with_file_name("ring.json");
    let before = fs::read(&ring).unwrap();
    let missing_store = ["keys", "retire", &second, "--revoke", "--database", "sqlite:/nowhere/at/all.db"];
    let rejected = installation.run(&[&missing_store[..], &RING].concat(), None).await;
    assert_eq!((rejected.status, rejected.stderr.lines().count()), (Some(1), 1), "{rejected:?}");
    assert!(rejected.stderr.contains("--without-audit"), "{rejected:?}");
    assert_eq!(fs::read(&ring).unwrap(), before);
}

async fn prune_deletes_only_events_older_than_limit(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    stop(server).await;
    let before = listed(&installation, &[]).await;
    assert!(!before.is_empty());
    let none = succeeds(&installation, &["audit", "prune", "--older-than", "1d"], None).await;
    assert_eq!(none.stdout, "Deleted 0 events.\n");
    assert_eq!(listed(&installation, &[]).await, before);
    let all = succeeds(&installation, &["audit", "prune", "--older-than", "0s"], None).await;
    assert_eq!(all.stdout, format!("Deleted {} events.\n", before.len()));
    assert_eq!(listed(&installation, &[]).await, ["operator audit.pruned -"]);
    for (arguments, expected) in [
        (&["audit", "prune"][..], "--older-than"),
        (&["audit", "prune", "--older-than", "soon"], "30d"),
        (&["audit", "list", "--actor", "root"], "user:ID"),
        (&["audit", "list", "--action", "User made"], "user.created"),
        (&["audit", "list", "--target", "group"], "student:7"),
        (&["audit", "list", "--since", "yesterday"], "2026-11-23T12:00:00Z"),
    ] {
        let rejected = installation.run(arguments, None).await;
        assert_eq!((rejected.status, rejected.stderr.lines().count()), (Some(2), 1), "{rejected:?}");
        assert!(rejected.stderr.contains(expected), "{rejected:?}");
    }
}

/// Statement that inserts events at 2026-01-01.
fn events(engine: Engine, count: u32) -> String {
    match engine {
        Engine::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO audit_events (at, actor, action, count) SELECT 1767225600000000, 'operator', 'key.rotated', 1 FROM n"
        ),
        Engine::Postgres => format!(
            "INSERT INTO audit_events (at, actor, action, count)
             SELECT '2026-01-01Z', 'operator', 'key.rotated', 1 FROM generate_series(1, {count})"
        ),
    }
}

async fn prune_of_several_batches_records_one_event(engine: Engine) {
    let installation = Installation::new(engine);
    installation.migrate().await;
    installation.execute(&events(engine, 12_000)).await;
    let pruned = succeeds(&installation, &["audit", "prune", "--older-than", "1d"], None).await;
    assert_eq!(pruned.stdout, "Deleted 12000 events.\n");
    let left = succeeds(&installation, &["audit", "list"], None).await.stdout;
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(left.contains("\toperator\taudit.pruned\t-\t12000\t"), "{left}");
}

/// The counter is what a killed process leaves between two batches.
async fn interrupted_prune_is_recorded_by_a_server(engine: Engine) {
    let installation = Installation::new(engine);
    installation.migrate().await;
    let long_ago = if engine == Engine::Postgres { "'epoch'" } else { "0" };
    installation.execute(&format!("UPDATE audit_pruned SET deleted = 5000, changed_at = {long_ago}")).await;
    let server = installation.serve().await;
    let recorded = async {
        loop {
            let pruned = succeeds(&installation, &["audit", "list", "--action", "audit.pruned"], None).await.stdout;
            if !pruned.is_empty() {
                return pruned;
            }
        }
    };
    let pruned = timeout(TIMEOUT, recorded).await.expect("the deletion is recorded");
    assert!(pruned.contains("\toperator\taudit.pruned\t-\t5000\t"), "{pruned}");
    stop(server).await;
}

async fn conflict_with_the_last_administrator_is_audited(engine: Engine) {
    let installation = Installation::new(engine);
    installation.migrate().await;
    let create = ["user", "create", "root", "--role", "admin", "--password-stdin"];
    succeeds(&installation, &create, Some("a long enough pass phrase")).await;
    for arguments in
        [&["user", "disable", "root"][..], &["user", "set-role", "root", "viewer"], &["user", "delete", "root"]]
    {
        let rejected = installation.run(arguments, None).await;
        assert_eq!(rejected.status, Some(1), "{rejected:?}");
    }
    let expected = ["operator change.refused user:1"; 3];
    assert_eq!(listed(&installation, &["--action", "change.refused"]).await, expected);
}

on_each_engine! {
    prune_of_several_batches_records_one_event
    interrupted_prune_is_recorded_by_a_server
    conflict_with_the_last_administrator_is_audited
    operator_commands_are_audited
    rejected_logins_are_audited_when_server_stops
    key_changes_are_audited_before_they_take_effect
    prune_deletes_only_events_older_than_limit
}
