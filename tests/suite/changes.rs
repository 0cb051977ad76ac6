//! Tests of `/students/changes`.

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::{Value, json};
use tests::client::Client;
use tests::on_each_store;
use tests::server::Engine;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::backup::{failed, succeeded};
use crate::installation::{Installation, on_each_engine, stop};

async fn latest(client: &Client) -> String {
    client.get("/students/changes/latest").await.expect(200)["token"].as_str().unwrap().to_owned()
}

/// Reads this number of changes, and the token after them. Transactions of other tests may delay changes.
async fn changes(client: &Client, token: &str, limit: usize, count: usize) -> (Vec<Value>, String) {
    let (mut found, mut token) = (Vec::new(), token.to_owned());
    for _ in 0..50_000 {
        let part = client.get(&format!("/students/changes?after={token}&limit={limit}")).await.expect(200);
        let entries = part["changes"].as_array().unwrap();
        assert!(entries.len() <= limit && (entries.len() == limit || part["has_more"] == false), "{part}");
        assert!(part["lag"].as_i64().unwrap() >= 0, "{part}");
        found.extend(entries.iter().cloned());
        part["next"].as_str().unwrap().clone_into(&mut token);
        if found.len() >= count {
            break;
        }
    }
    (found, token)
}

async fn create(client: &Client, roll_no: i64) -> Value {
    let body = json!({"name": "Asha Rao", "email": "asha@example.org", "roll_no": roll_no});
    client.send("POST", "/students", &body).await.expect(201)
}

on_each_store! {
    async fn changes_contain_the_students_as_they_are_now(server) {
        let client = server.client(Role::Registrar).await;
        let start = latest(&client).await;
        let (first, second) = (create(&client, 1).await, create(&client, 2).await);
        let path = format!("/students/{}", first["id"]);
        let first = client.send("PATCH", &path, &json!({"age": 21})).await.expect(200);
        client.delete(&format!("/students/{}", second["id"])).await;
        let (found, end) = changes(&client, &start, 3, 4).await;
        let expected = [(&first, 1), (&second, 1), (&first, 2), (&second, 2)];
        for (change, (student, version)) in found.iter().zip(expected) {
            assert_eq!((&change["student_id"], &change["version"]), (&student["id"], &json!(version)));
            let now = if student == &first { &first } else { &Value::Null };
            assert_eq!(&change["student"], now);
        }
        assert_eq!(found[2]["at"], first["updated_at"]);
        let none = client.get(&format!("/students/changes?after={end}")).await.expect(200);
        assert_eq!(none, json!({"changes": [], "next": end, "has_more": false, "lag": 0}));
    }

    async fn request_waits_until_there_is_a_change(server) {
        let client = server.client(Role::Registrar).await;
        let start = latest(&client).await;
        let path = format!("/students/changes?after={start}&wait=20");
        let (waited, created) = tokio::join!(client.get(&path), create(&client, 7));
        let waited = waited.expect(200);
        assert_eq!(waited["changes"][0]["student"], created);
        // The reading of the feed goes on while a request waits.
        let next = format!("/students/changes?after={}&wait=1", waited["next"].as_str().unwrap());
        let start = Instant::now();
        let timed_out = tokio::time::timeout(Duration::from_secs(15), client.get(&next)).await.unwrap().expect(200);
        assert!(start.elapsed() >= Duration::from_secs(1), "the request did not wait");
        assert_eq!((&timed_out["changes"], &timed_out["next"]), (&json!([]), &waited["next"]));
    }

    async fn tokens_of_other_feeds_are_gone(server) {
        let client = server.client(Role::Viewer).await;
        let token = latest(&client).await;
        let (feed, position) = token.split_at(16);
        let other = if feed.starts_with('0') { "1" } else { "0" };
        for (token, problem) in [
            (format!("{other}{}{position}", &feed[1..]), "change-token-of-another-feed"),
            (format!("{feed}7fffffffffffffff0000000000000000"), "change-token-from-the-future"),
        ] {
            let problem = client.get(&format!("/students/changes?after={token}")).await.expect_problem(410, problem);
            assert!(problem["detail"].as_str().unwrap().len() > 20, "{problem}");
        }
        for (query, parameter) in [
            (String::new(), "after"),
            ("?after=7".to_owned(), "after"),
            (format!("?after={token}&wait=21"), "wait"),
            (format!("?after={token}&wait=x"), "wait"),
            (format!("?after={token}&limit=1001"), "limit"),
            (format!("?after={token}&name=x"), "name"),
        ] {
            let problem = client.get(&format!("/students/changes{query}")).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
        }
        for path in ["/students/changes", "/students/changes/latest"] {
            assert_eq!(server.anonymous().get(path).await.status.as_u16(), 401);
        }
    }
}

async fn command_prints_changes_beside_a_server(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    let client = installation.admin(&server).await;
    let printed = installation.run(&["students", "changes"], None).await;
    succeeded(&printed);
    let start = serde_json::from_str::<Value>(&printed.stdout).unwrap()["token"].as_str().unwrap().to_owned();

    let mut command = installation.command(&["students", "changes", "--after", &start, "--follow"]);
    let mut following = command.spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let created = create(&client, 7).await;
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(line["changes"][0]["student"], created);
    client.delete(&format!("/students/{}", created["id"])).await;
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&line["changes"][0]["version"], &line["changes"][0]["student"]), (&json!(2), &Value::Null));
    following.kill().await.unwrap();

    let end = line["next"].as_str().unwrap();
    for (after, count) in [(&*start, 2), (end, 0)] {
        let printed = installation.run(&["students", "changes", "--after", after], None).await;
        succeeded(&printed);
        let part: Value = serde_json::from_str(&printed.stdout).unwrap();
        assert_eq!((part["changes"].as_array().unwrap().len(), &part["next"]), (count, &json!(end)));
    }
    let other = format!("{}{}", if start.starts_with('0') { "1" } else { "0" }, &start[1..]);
    let rejected = installation.run(&["students", "changes", "--after", &other], None).await;
    failed(&rejected, "the token is one of another feed");
    stop(server).await;
}

on_each_engine! {
    command_prints_changes_beside_a_server
}
