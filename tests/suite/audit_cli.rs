//! `rollbook audit …`, and what the other commands leave there.

use std::fs;

use tests::program::Outcome;
use tests::server::Engine;

use crate::installation::{Installation, on_each_engine, stop};

const RING: [&str; 2] = ["--keys", "ring.json"];

async fn done(installation: &Installation, arguments: &[&str], line: Option<&str>) -> Outcome {
    let outcome = installation.run(arguments, line).await;
    assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""), "{arguments:?}");
    outcome
}

/// Actor, action and target of each event that fits.
async fn listed(installation: &Installation, filter: &[&str]) -> Vec<String> {
    let outcome = done(installation, &[&["audit", "list"], filter].concat(), None).await;
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

async fn what_is_done_at_the_machine_is_told(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    let add = ["user", "add", "asha", "--password-stdin"];
    done(&installation, &add, Some("a long enough pass phrase")).await;
    done(&installation, &["user", "set-role", "asha", "registrar"], None).await;
    server.log_in("asha", "a long enough pass phrase").await;
    done(&installation, &["user", "delete", "asha"], None).await;
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

async fn refusals_are_told_when_the_server_has_stopped(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    for _ in 0..2 {
        let wrong = serde_json::json!({"Username": "admin", "Password": "a wrong pass phrase"});
        server.client(None).send("POST", "/login", &wrong).await.expect_problem(401, "invalid-credentials");
    }
    stop(server).await;
    let refused = done(&installation, &["audit", "list", "--action", "login.refused"], None).await.stdout;
    // Two events where the server gathered them on either side of a flush.
    let counts = refused.lines().map(|line| line.split('\t').nth(5).unwrap().parse::<u32>().unwrap());
    assert_eq!(counts.sum::<u32>(), 2, "{refused}");
    assert!(refused.lines().all(|line| line.contains("anonymous\tlogin.refused\tuser:1")), "{refused}");
}

async fn changes_of_keys_are_told_before_they_are_made(engine: Engine) {
    let installation = Installation::new(engine);
    let keys = async |arguments: &[&str]| {
        let outcome = done(&installation, &[&["keys"][..], arguments, &RING].concat(), None).await;
        outcome.stdout.split(' ').nth(2).unwrap_or_default().to_owned()
    };
    let first = keys(&["generate"]).await;
    let second = keys(&["rotate", "--algorithm", "EdDSA", "--announce", "0s"]).await;
    keys(&["retire", &first, "--revoke"]).await;
    let told = [
        format!("operator key.generated key:{first}"),
        format!("operator key.rotated key:{second}"),
        format!("operator key.revoked key:{first}"),
    ];
    assert_eq!(listed(&installation, &[]).await, told);
    keys(&["rotate", "--without-audit"]).await;
    assert_eq!(listed(&installation, &[]).await, told);
    let refused = installation.run(&[&["keys", "retire", "nobody"][..], &RING].concat(), None).await;
    assert_eq!(refused.status, Some(1));
    assert_eq!(listed(&installation, &[]).await, told);

    let ring = installation.data("").with_file_name("ring.json");
    let before = fs::read(&ring).unwrap();
    let nowhere = ["keys", "retire", &second, "--revoke", "--database", "sqlite:/nowhere/at/all.db"];
    let refused = installation.run(&[&nowhere[..], &RING].concat(), None).await;
    assert_eq!((refused.status, refused.stderr.lines().count()), (Some(1), 1), "{refused:?}");
    assert!(refused.stderr.contains("--without-audit"), "{refused:?}");
    assert_eq!(fs::read(&ring).unwrap(), before);
}

async fn old_events_go_only_when_they_are_told_to(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    stop(server).await;
    let before = listed(&installation, &[]).await;
    assert!(!before.is_empty());
    let none = done(&installation, &["audit", "prune", "--older-than", "1d"], None).await;
    assert_eq!(none.stdout, "Removed 0 events.\n");
    assert_eq!(listed(&installation, &[]).await, before);
    let all = done(&installation, &["audit", "prune", "--older-than", "0s"], None).await;
    assert_eq!(all.stdout, format!("Removed {} events.\n", before.len()));
    assert_eq!(listed(&installation, &[]).await, ["operator audit.pruned -"]);
    for (arguments, why) in [
        (&["audit", "prune"][..], "--older-than"),
        (&["audit", "prune", "--older-than", "soon"], "30d"),
        (&["audit", "list", "--actor", "root"], "user:ID"),
        (&["audit", "list", "--action", "User made"], "user.created"),
        (&["audit", "list", "--target", "group"], "student:7"),
        (&["audit", "list", "--since", "yesterday"], "2026-11-23T12:00:00Z"),
    ] {
        let refused = installation.run(arguments, None).await;
        assert_eq!((refused.status, refused.stderr.lines().count()), (Some(2), 1), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}

on_each_engine! {
    what_is_done_at_the_machine_is_told
    refusals_are_told_when_the_server_has_stopped
    changes_of_keys_are_told_before_they_are_made
    old_events_go_only_when_they_are_told_to
}
