//! A replica of the students that a follower keeps while two nodes are killed and restarted, and transactions commit late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tests::client::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::load::student;
use crate::nodes::Nodes;
use crate::{exclusive, until};

const WRITES: i64 = 100_000;
const WRITERS: u64 = 16;
const LATE_WRITERS: u64 = 4;

/// Numbers that look random: xorshift64.
struct Numbers(u64);

impl Numbers {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }
}

/// What all writers share.
#[derive(Default)]
struct Progress {
    acknowledged: AtomicI64,
    roll_no: AtomicI64,
    late: AtomicI64,
    is_over: AtomicBool,
}

impl Progress {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Creates, changes and deletes students of its own until enough writes were acknowledged.
async fn write(seed: u64, clients: Vec<Client>, progress: Arc<Progress>) {
    let mut numbers = Numbers::of(seed);
    let mut ids: Vec<String> = Vec::new();
    while !progress.is_over() {
        let client = &clients[numbers.below(clients.len())];
        let request = match (numbers.below(10), ids.len()) {
            (0..3, 0..1_000) | (_, 0) => {
                let roll_no = progress.roll_no.fetch_add(1, Ordering::Relaxed) + 1;
                client.request("POST", "/students").json(&student(roll_no))
            }
            (3, count) => client.request("DELETE", &ids.swap_remove(numbers.below(count))),
            (_, count) => {
                let age = numbers.below(100) + 1;
                client.request("PATCH", &ids[numbers.below(count)]).json(&json!({ "age": age }))
            }
        };
        match request.send().await {
            Ok(response) if response.status().is_success() => {
                if let Some(location) = response.headers().get("location") {
                    ids.push(location.to_str().unwrap().to_owned());
                }
                progress.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Ok(response) => assert!([404, 409, 503].contains(&response.status().as_u16()), "{response:?}"),
            // The node was killed.
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Changes students in transactions that commit late, as another program does.
async fn write_late(seed: u64, mut connection: PgConnection, progress: Arc<Progress>) {
    let mut numbers = Numbers::of(seed);
    while !progress.is_over() {
        let mut transaction = connection.begin().await.unwrap();
        let change = "UPDATE students SET version = version + 1, age = 7 WHERE id = \
             (SELECT id FROM students ORDER BY id DESC OFFSET $1 LIMIT 1 FOR UPDATE SKIP LOCKED)";
        let offset = i64::try_from(numbers.below(500)).unwrap();
        sqlx::query(change).bind(offset).execute(&mut *transaction).await.unwrap();
        sleep(Duration::from_millis(10 + u64::try_from(numbers.below(300)).unwrap())).await;
        if numbers.below(4) == 0 {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            progress.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A copy of the students, and the changes that were found.
struct Replica {
    clients: Vec<Client>,
    turn: AtomicUsize,
    students: BTreeMap<i64, Value>,
    found: BTreeSet<(i64, i64)>,
    token: String,
}

impl Replica {
    async fn start(clients: Vec<Client>) -> Self {
        let token = String::new();
        let mut replica =
            Self { clients, turn: AtomicUsize::new(0), students: BTreeMap::new(), found: BTreeSet::new(), token };
        replica.token = replica.latest().await;
        let mut after = String::new();
        loop {
            let page = replica.get(&format!("/students?limit=1000{after}")).await;
            for student in page["students"].as_array().unwrap() {
                replica.students.insert(student["id"].as_i64().unwrap(), student.clone());
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return replica,
            }
        }
    }

    /// A response of the nodes in turn.
    async fn get(&self, path: &str) -> Value {
        loop {
            let client = &self.clients[self.turn.fetch_add(1, Ordering::Relaxed) % self.clients.len()];
            let body = async {
                let response = client.request("GET", path).send().await.ok()?.error_for_status();
                response
                    .inspect_err(|error| assert_eq!(error.status().map(|it| it.as_u16()), Some(503)))
                    .ok()?
                    .json()
                    .await
                    .ok()
            };
            match body.await {
                Some(body) => return body,
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn latest(&self) -> String {
        self.get("/students/changes/latest").await["token"].as_str().unwrap().to_owned()
    }

    /// Applies the next part of the feed.
    async fn follow(&mut self) {
        let part = self.get(&format!("/students/changes?after={}&limit=1000&wait=1", self.token)).await;
        for change in part["changes"].as_array().unwrap() {
            let (id, version) = (change["student_id"].as_i64().unwrap(), change["version"].as_i64().unwrap());
            assert!(self.found.insert((id, version)), "twice: {change}");
            let student = &change["student"];
            if student.is_null() {
                self.students.remove(&id);
            } else if self.students.get(&id).is_none_or(|known| version_of(known) < version_of(student)) {
                self.students.insert(id, student.clone());
            }
        }
        part["next"].as_str().unwrap().clone_into(&mut self.token);
    }
}

fn version_of(student: &Value) -> i64 {
    student["etag"].as_str().unwrap().trim_matches('"').rsplit('-').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_equals_the_store_after_kills_and_late_commits() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let database = Cluster::url_of(&cluster.host());
    let mut nodes = Nodes::start(&database, 2).await;
    let clients: Vec<_> = nodes.clients().collect();
    let progress = Arc::new(Progress::default());
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for seed in 0..WRITERS {
        writers.spawn(write(seed, clients.clone(), progress.clone()));
    }
    for seed in 0..LATE_WRITERS {
        let connection = PgConnection::connect(&database).await.unwrap();
        writers.spawn(write_late(WRITERS + seed, connection, progress.clone()));
    }
    until("there are students", async || progress.acknowledged.load(Ordering::Relaxed) > 1_000).await;
    let mut replica = Replica::start(clients).await;
    let first = replica.token.clone();
    let is_followed = Arc::new(AtomicBool::new(true));
    let following = tokio::spawn({
        let is_followed = is_followed.clone();
        async move {
            let mut parts = 0;
            while is_followed.load(Ordering::Relaxed) {
                replica.follow().await;
                parts += 1;
            }
            (replica, parts)
        }
    });
    let mut stops = 0;
    while progress.acknowledged.load(Ordering::Relaxed) < WRITES {
        let signal = if stops % 3 == 2 { Signal::TERM } else { Signal::KILL };
        nodes.restart_after(stops % 2, signal).await;
        stops += 1;
        sleep(Duration::from_secs(1)).await;
    }
    progress.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    is_followed.store(false, Ordering::Relaxed);
    let (mut replica, mut parts) = following.await.unwrap();
    let end = replica.latest().await;
    while replica.token != end {
        replica.follow().await;
        parts += 1;
    }
    let current = Replica::start(nodes.clients().collect()).await;
    // The positions are the last two numbers of a token.
    let position = |token: &str| [16..32, 32..48].map(|part| i64::from_str_radix(&token[part], 16).unwrap());
    let [transaction, number] = position(&first);
    let written = format!(
        "SELECT student_id, student_version FROM student_changes WHERE (transaction, number) > ({transaction}, {number})"
    );
    let mut connection = PgConnection::connect(&database).await.unwrap();
    let written: BTreeSet<(i64, i64)> =
        sqlx::query_as(AssertSqlSafe(written)).fetch_all(&mut connection).await.unwrap().into_iter().collect();
    let skipped = written.difference(&replica.found).count();
    println!(
        "{} writes of {WRITERS} clients in {:.1?}, {} late commits, {stops} stops: {} students, {} changes in {parts} parts, \
         {skipped} skipped",
        progress.acknowledged.load(Ordering::Relaxed),
        began.elapsed(),
        progress.late.load(Ordering::Relaxed),
        replica.students.len(),
        replica.found.len(),
    );
    assert_eq!(skipped, 0);
    assert_eq!(replica.found.len(), written.len());
    assert!(replica.students == current.students, "the replica differs from the store");
    assert!(progress.late.load(Ordering::Relaxed) > 100 && stops > 5);
}
