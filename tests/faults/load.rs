//! Clients that send requests one after another, and what they receive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use tests::client::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Pause of a client after a response other than a success.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Running clients of several kinds.
#[derive(Default)]
pub struct Load {
    /// Number of requests.
    sent: Arc<AtomicI64>,
    is_stopped: Arc<AtomicBool>,
    clients: JoinSet<Vec<Exchange>>,
}

/// A request and its response.
#[derive(Debug)]
pub struct Exchange {
    pub kind: &'static str,
    /// Unique among the requests of a load.
    pub number: i64,
    pub began: Instant,
    pub ended: Instant,
    /// `None` if the connection failed before the end of the response.
    pub status: Option<u16>,
    pub has_retry_after: bool,
}

impl Load {
    /// Adds clients, which send the request for each number and pause after each response.
    pub fn add<R>(&mut self, kind: &'static str, clients: usize, pause: Duration, request: R)
    where
        R: Fn(i64) -> RequestBuilder + Clone + Send + 'static,
    {
        for _ in 0..clients {
            let (sent, is_stopped, request) = (Arc::clone(&self.sent), Arc::clone(&self.is_stopped), request.clone());
            self.clients.spawn(async move {
                let mut exchanges = vec![];
                while !is_stopped.load(Ordering::Relaxed) {
                    let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
                    let exchange = Exchange::run(kind, number, request(number)).await;
                    sleep(if exchange.is_success() { pause } else { pause.max(RETRY_PAUSE) }).await;
                    exchanges.push(exchange);
                }
                exchanges
            });
        }
    }

    /// As [`Load::add`], with requests that create students.
    pub fn add_creates(&mut self, kind: &'static str, clients: usize, pause: Duration, client: &Client) {
        let client = client.clone();
        self.add(kind, clients, pause, move |number| client.request("POST", "/students").json(&student(number)));
    }

    /// As [`Load::add`], with requests that read a path.
    pub fn add_reads(
        &mut self,
        kind: &'static str,
        clients: usize,
        pause: Duration,
        client: &Client,
        path: &'static str,
    ) {
        let client = client.clone();
        self.add(kind, clients, pause, move |_| client.request("GET", path));
    }

    /// Number of requests up to now.
    pub fn sent(&self) -> i64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Stops the clients after their current requests.
    pub async fn stop(self) -> Exchanges {
        self.is_stopped.store(true, Ordering::Relaxed);
        Exchanges(self.clients.join_all().await.into_iter().flatten().collect())
    }
}

/// A student with this roll number.
pub fn student(roll_no: i64) -> Value {
    json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no})
}

impl Exchange {
    async fn run(kind: &'static str, number: i64, request: RequestBuilder) -> Self {
        let began = Instant::now();
        let mut has_retry_after = false;
        let status = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            has_retry_after = response.headers().contains_key(RETRY_AFTER);
            response.bytes().await?;
            Ok::<_, reqwest::Error>(status)
        };
        let status = status.await.inspect_err(|error| println!("{kind} {number}: {error:?}")).ok();
        Self { kind, number, began, ended: Instant::now(), status, has_retry_after }
    }

    pub fn is_success(&self) -> bool {
        matches!(self.status, Some(200..300))
    }
}

/// The exchanges of a load.
pub struct Exchanges(pub Vec<Exchange>);

impl Exchanges {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Exchange> {
        self.0.iter().filter(move |exchange| exchange.kind == kind)
    }

    /// Number of exchanges of each kind and status.
    pub fn statuses(&self) -> BTreeMap<(&'static str, Option<u16>), usize> {
        let mut counts = BTreeMap::new();
        for exchange in &self.0 {
            *counts.entry((exchange.kind, exchange.status)).or_default() += 1;
        }
        counts
    }

    /// Roll numbers of acknowledged creates.
    pub fn created(&self) -> BTreeSet<i64> {
        self.0.iter().filter(|exchange| exchange.status == Some(201)).map(|exchange| exchange.number).collect()
    }

    /// Asserts that every status is a success or 503.
    pub fn assert_success_or_unavailable(&self) {
        let is_expected = |exchange: &&Exchange| exchange.is_success() || exchange.status == Some(503);
        let unexpected: Vec<_> = self.0.iter().filter(|exchange| !is_expected(exchange)).take(5).collect();
        assert!(unexpected.is_empty(), "{unexpected:#?} of {:?}", self.statuses());
    }

    /// The median, the 99th percentile and the maximum duration of a kind.
    pub fn durations(&self, kind: &str) -> [Duration; 3] {
        let mut durations: Vec<_> = self.of_kind(kind).map(|exchange| exchange.ended - exchange.began).collect();
        durations.sort_unstable();
        let last = durations.len() - 1;
        [durations[last / 2], durations[last * 99 / 100], durations[last]]
    }
}
