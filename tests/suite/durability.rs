//! Acknowledged writes survive a crash of the server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::process::Signal;
use serde_json::json;
use tests::client::Client;
use tests::server::Engine;
use tokio::sync::mpsc;

use crate::installation::{Installation, signal, stop, wait_for_exit};

const STUDENTS: i64 = 2_000;
const CONNECTIONS: usize = 64;

/// Creates students in sequence until the limit is reached or the connection fails. Sends each acknowledged roll number to
/// the channel.
async fn create_students(client: Client, next: Arc<AtomicI64>, acknowledged: mpsc::UnboundedSender<i64>) {
    loop {
        let roll_no = next.fetch_add(1, Ordering::Relaxed);
        if roll_no > STUDENTS {
            return;
        }
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no});
        match client.request("POST", "/students").json(&student).send().await {
            Ok(response) => {
                assert_eq!(response.status(), 201);
                acknowledged.send(roll_no).unwrap();
            }
            Err(_) => return,
        }
    }
}

/// The roll numbers of all students.
pub async fn roll_numbers(client: &Client) -> BTreeSet<i64> {
    let mut numbers = BTreeSet::new();
    let mut path = "/students?limit=200".to_owned();
    loop {
        let page = client.get(&path).await.expect(200);
        numbers.extend(page["students"].as_array().unwrap().iter().map(|student| student["roll_no"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => path = format!("/students?limit=200&after={next}"),
            None => return numbers,
        }
    }
}

#[tokio::test]
async fn kill_loses_no_acknowledged_write() {
    let installation = Installation::new(Engine::Sqlite);
    let mut server = installation.serve().await;
    let client = installation.admin(&server).await;
    let next = Arc::new(AtomicI64::new(1));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let writers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let client = server.client(client.token().map(str::to_owned));
            tokio::spawn(create_students(client, Arc::clone(&next), sender.clone()))
        })
        .collect();
    drop(sender);

    let mut acknowledged = BTreeSet::new();
    while let Some(roll_no) = receiver.recv().await {
        acknowledged.insert(roll_no);
        if acknowledged.len() == 400 {
            signal(&server.process, Signal::KILL);
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(wait_for_exit(&mut server.process).await, None, "the signal ended the process");
    assert!((400..1_900).contains(&acknowledged.len()), "{} acknowledged before the kill", acknowledged.len());

    let server = installation.serve().await;
    let client = server.client(client.token().map(str::to_owned));
    let stored = roll_numbers(&client).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let next = json!({"name": "Asha", "email": "asha@example.org", "roll_no": STUDENTS + 1});
    client.send("POST", "/students", &next).await.expect(201);
    stop(server).await;

    let database = rusqlite::Connection::open(installation.data("rollbook.sqlite3")).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
