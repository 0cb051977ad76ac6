//! Hears what other nodes change about bearers, and knows when it is deaf.
//!
//! The schema's triggers notify in the transaction of the change. Each node also sends itself a heartbeat through the
//! database: the server delivers notifications in the order of their commits, so whoever hears a beat has heard of
//! everything that was committed before it was sent.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use domain::session::InvalidationListener;
use domain::{SessionId, UserId};
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPool, PgPoolOptions};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// As the triggers of the schema spell it.
const CHANGES: &str = "rollbook_invalidations";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";
/// A channel that no other node listens on.
const OWN_CHANNEL: &str = "SELECT current_schema(), 'rollbook_beat_' || replace(gen_random_uuid()::text, '-', '')";
/// Beats in one bound: the trust that one gives lasts until several later ones are lost.
const BEATS: u32 = 4;

/// The invalidations of one node. It ends when this is dropped.
pub(crate) struct NotifyFeed {
    state: Arc<State>,
    connect: PgConnectOptions,
    bound: Duration,
    listening: OnceLock<AbortHandle>,
}

struct State {
    listener: OnceLock<Arc<dyn InvalidationListener>>,
    base: Instant,
    /// Until when what was heard counts as all there is, in nanoseconds since `base`.
    trusted_until: AtomicU64,
}

impl NotifyFeed {
    pub fn new(connect: PgConnectOptions, bound: Duration) -> Self {
        let state = State { listener: OnceLock::new(), base: Instant::now(), trusted_until: AtomicU64::new(0) };
        Self { state: Arc::new(state), connect, bound, listening: OnceLock::new() }
    }

    /// Begins to listen. The first listener is the only one.
    pub fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        if self.state.listener.set(listener).is_ok() {
            let listening = Listening::new(Arc::clone(&self.state), self.connect.clone(), self.bound);
            let _ = self.listening.set(tokio::spawn(listening.run()).abort_handle());
        }
    }

    /// Ends the listening.
    pub fn end(&self) {
        if let Some(listening) = self.listening.get() {
            listening.abort();
        }
        self.state.distrust();
    }

    pub fn is_current(&self) -> bool {
        self.state.is_trusted(Instant::now())
    }

    pub fn user_changed(&self, id: UserId) {
        self.state.with(|listener| listener.user_changed(id));
    }

    pub fn session_ended(&self, id: SessionId) {
        self.state.with(|listener| listener.session_ended(id));
    }

    pub fn sessions_ended(&self, ids: &[i64]) {
        ids.iter().filter_map(|id| SessionId::try_from(*id).ok()).for_each(|id| self.session_ended(id));
    }
}

impl Drop for NotifyFeed {
    fn drop(&mut self) {
        self.end();
    }
}

impl State {
    fn with(&self, tell: impl FnOnce(&dyn InvalidationListener)) {
        if let Some(listener) = self.listener.get() {
            tell(&**listener);
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_trusted(&self, now: Instant) -> bool {
        self.nanos(now) < self.trusted_until.load(Ordering::Acquire)
    }

    /// What was heard before may have been lost meanwhile.
    fn trust_until(&self, until: Instant) {
        if !self.is_trusted(Instant::now()) {
            self.with(|listener| listener.anything_changed());
        }
        self.trusted_until.store(self.nanos(until), Ordering::Release);
    }

    fn distrust(&self) {
        self.trusted_until.store(0, Ordering::Release);
    }
}

/// The task that listens.
struct Listening {
    state: Arc<State>,
    connect: PgConnectOptions,
    bound: Duration,
    was_disconnected: bool,
}

/// Beats that were sent and not heard yet, the oldest first.
#[derive(Default)]
struct Beats {
    sent: VecDeque<(u64, Instant)>,
    last: u64,
}

impl Beats {
    /// More than can be under way while anybody still waits for them.
    const MOST: usize = 4 * BEATS as usize;

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.sent.push_back((self.last, Instant::now()));
        if self.sent.len() > Self::MOST {
            self.sent.pop_front();
        }
        self.last
    }

    /// When the beat that is heard was sent.
    fn heard(&mut self, number: u64) -> Option<Instant> {
        let sent_at = self.sent.iter().find(|(sent, _)| *sent == number).map(|(_, at)| *at)?;
        self.sent.retain(|(sent, _)| *sent > number);
        Some(sent_at)
    }
}

impl Listening {
    fn new(state: Arc<State>, connect: PgConnectOptions, bound: Duration) -> Self {
        Self { state, connect, bound, was_disconnected: false }
    }

    async fn run(mut self) {
        loop {
            let why = self.listen().await.err().map_or_else(|| "it was silent".to_owned(), |error| error.to_string());
            self.state.distrust();
            if !self.was_disconnected {
                self.was_disconnected = true;
                tracing::warn!(%why, "hears nothing of other nodes: asks the store about each token until it does");
            }
            sleep(self.bound / BEATS).await;
        }
    }

    /// Listens until the connection is lost, or silent for too long.
    async fn listen(&mut self) -> Result<(), sqlx::Error> {
        let patience = self.bound.max(Duration::from_secs(1));
        // Outside of the pool that requests use, and new each time: those of before may be as dead as what was lost.
        let connections = PgPoolOptions::new().max_connections(2).acquire_timeout(patience);
        let connections = connections.connect_lazy_with(self.connect.clone());
        let begun = timeout(patience, async {
            let (schema, own): (Option<String>, String) = sqlx::query_as(OWN_CHANNEL).fetch_one(&connections).await?;
            let mut listener = PgListener::connect_with(&connections).await?;
            listener.eager_reconnect(false);
            listener.listen_all([CHANGES, own.as_str()]).await?;
            Ok::<_, sqlx::Error>((listener, schema.unwrap_or_default(), own))
        });
        let (mut listener, schema, own) = begun.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.state.with(|listener| listener.anything_changed());

        let (heard, mut received) = mpsc::unbounded_channel();
        // Never given up half-way through a message.
        let mut reading = pin!(async move {
            loop {
                // None stands for a connection that is lost.
                let notification = listener.try_recv().await?.ok_or(sqlx::Error::WorkerCrashed)?;
                if heard.send(notification).is_err() {
                    return Ok(());
                }
            }
        });
        let mut pace = interval(self.bound / BEATS);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut beats, mut last_heard) = (Beats::default(), Instant::now());
        let mut sending = pin!(None);
        loop {
            tokio::select! {
                lost = &mut reading => return lost,
                Some(notification) = received.recv() => {
                    if notification.channel() == own {
                        if let Some(sent_at) = notification.payload().parse().ok().and_then(|beat| beats.heard(beat)) {
                            last_heard = Instant::now();
                            self.trust(sent_at);
                        }
                    } else {
                        self.told(&notification, &schema);
                    }
                }
                _ = pace.tick() => {
                    if last_heard.elapsed() > 2 * patience {
                        return Ok(());
                    }
                    if sending.as_ref().get_ref().is_none() {
                        sending.set(Some(beat(connections.clone(), own.clone(), beats.next(), patience)));
                    }
                }
                () = sent(sending.as_mut().as_pin_mut()) => sending.set(None),
            }
        }
    }

    fn trust(&mut self, sent_at: Instant) {
        self.state.trust_until(sent_at + self.bound);
        if self.was_disconnected && self.state.is_trusted(Instant::now()) {
            self.was_disconnected = false;
            tracing::info!("hears of other nodes again");
        }
    }

    /// Passes on what a trigger of this schema tells: `<schema> user|session <id>`.
    fn told(&self, notification: &PgNotification, schema: &str) {
        let told = notification.payload().strip_prefix(schema).and_then(|rest| rest.strip_prefix(' '));
        match told.and_then(|told| told.split_once(' ')) {
            Some(("user", id)) => id.parse().map_or((), |id| self.state.with(|known| known.user_changed(id))),
            Some(("session", id)) => id.parse().map_or((), |id| self.state.with(|known| known.session_ended(id))),
            _ => {}
        }
    }
}

/// Sends one beat. Where that fails, nobody hears it, and that says enough.
async fn beat(connections: PgPool, channel: String, number: u64, patience: Duration) {
    let sent = sqlx::query(NOTIFY).bind(channel).bind(number.to_string()).execute(&connections);
    let _ = timeout(patience, sent).await;
}

/// Waits for the beat that is being sent, or for ever.
async fn sent(beat: Option<impl Future<Output = ()>>) {
    match beat {
        Some(beat) => beat.await,
        None => pending().await,
    }
}
