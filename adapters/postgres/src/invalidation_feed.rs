//! Invalidation feed over LISTEN and NOTIFY.
//!
//! The schema's triggers send a notification in the transaction of the change. Each node also sends heartbeats to itself
//! through the database. The server delivers notifications in commit order, so a node that has received a heartbeat has
//! received every notification committed before the heartbeat was sent.

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

/// The channel of the schema's triggers.
const CHANGES: &str = "rollbook_invalidations";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";
/// The schema, and a random channel name for the heartbeats of this node.
const OWN_CHANNEL: &str = "SELECT current_schema(), 'rollbook_beat_' || replace(gen_random_uuid()::text, '-', '')";
/// Heartbeats per revocation bound. The feed stays current while fewer consecutive heartbeats than this are lost.
const HEARTBEATS_PER_BOUND: u32 = 4;

/// Invalidation feed of one node. Dropping it stops the listening task.
pub(crate) struct NotifyFeed {
    state: Arc<State>,
    connect: PgConnectOptions,
    bound: Duration,
    task: OnceLock<AbortHandle>,
}

struct State {
    listener: OnceLock<Arc<dyn InvalidationListener>>,
    base: Instant,
    /// End of the period in which the feed is current, in nanoseconds since `base`.
    current_until: AtomicU64,
}

impl NotifyFeed {
    pub fn new(connect: PgConnectOptions, bound: Duration) -> Self {
        let state = State { listener: OnceLock::new(), base: Instant::now(), current_until: AtomicU64::new(0) };
        Self { state: Arc::new(state), connect, bound, task: OnceLock::new() }
    }

    /// Starts the listening task. Later calls have no effect.
    pub fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        if self.state.listener.set(listener).is_ok() {
            let task = FeedTask::new(Arc::clone(&self.state), self.connect.clone(), self.bound);
            let _ = self.task.set(tokio::spawn(task.run()).abort_handle());
        }
    }

    /// Stops the listening task. The feed is not current afterwards.
    pub fn stop(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.state.mark_disconnected();
    }

    pub fn is_current(&self) -> bool {
        self.state.is_current(Instant::now())
    }

    pub fn user_changed(&self, id: UserId) {
        self.state.notify(|listener| listener.user_changed(id));
    }

    pub fn session_ended(&self, id: SessionId) {
        self.state.notify(|listener| listener.session_ended(id));
    }

    pub fn sessions_ended(&self, ids: &[i64]) {
        ids.iter().filter_map(|id| SessionId::try_from(*id).ok()).for_each(|id| self.session_ended(id));
    }
}

impl Drop for NotifyFeed {
    fn drop(&mut self) {
        self.stop();
    }
}

impl State {
    fn notify(&self, call: impl FnOnce(&dyn InvalidationListener)) {
        if let Some(listener) = self.listener.get() {
            call(&**listener);
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_current(&self, now: Instant) -> bool {
        self.nanos(now) < self.current_until.load(Ordering::Acquire)
    }

    /// Extends the period in which the feed is current. If that period has ended, notifications may have been lost, so the
    /// listener has to discard everything.
    fn extend_until(&self, until: Instant) {
        if !self.is_current(Instant::now()) {
            self.notify(|listener| listener.anything_changed());
        }
        self.current_until.store(self.nanos(until), Ordering::Release);
    }

    fn mark_disconnected(&self) {
        self.current_until.store(0, Ordering::Release);
    }
}

/// The listening task: receives notifications and sends heartbeats.
struct FeedTask {
    state: Arc<State>,
    connect: PgConnectOptions,
    bound: Duration,
    was_disconnected: bool,
}

/// Heartbeats that were sent and not yet received, oldest first.
#[derive(Default)]
struct Heartbeats {
    sent: VecDeque<(u64, Instant)>,
    last: u64,
}

impl Heartbeats {
    /// Maximum number of pending heartbeats. An older one can no longer extend the current period.
    const MAX_PENDING: usize = 4 * HEARTBEATS_PER_BOUND as usize;

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.sent.push_back((self.last, Instant::now()));
        if self.sent.len() > Self::MAX_PENDING {
            self.sent.pop_front();
        }
        self.last
    }

    /// Records a received heartbeat and returns the time at which it was sent.
    fn receive(&mut self, number: u64) -> Option<Instant> {
        let sent_at = self.sent.iter().find(|(sent, _)| *sent == number).map(|(_, at)| *at)?;
        self.sent.retain(|(sent, _)| *sent > number);
        Some(sent_at)
    }
}

impl FeedTask {
    fn new(state: Arc<State>, connect: PgConnectOptions, bound: Duration) -> Self {
        Self { state, connect, bound, was_disconnected: false }
    }

    async fn run(mut self) {
        loop {
            let lost = self.listen().await.err();
            let cause = lost.map_or_else(|| "no heartbeat in time".to_owned(), |error| error.to_string());
            self.state.mark_disconnected();
            if !self.was_disconnected {
                self.was_disconnected = true;
                tracing::warn!(%cause, "invalidation feed disconnected: sessions are not cached until it reconnects");
            }
            sleep(self.bound / HEARTBEATS_PER_BOUND).await;
        }
    }

    /// Listens until the connection is lost (an error) or no heartbeat arrives for too long (`Ok`).
    async fn listen(&mut self) -> Result<(), sqlx::Error> {
        let io_timeout = self.bound.max(Duration::from_secs(1));
        // Separate from the pool for requests, and new for each attempt, because pooled connections may also be lost.
        let connections = PgPoolOptions::new().max_connections(2).acquire_timeout(io_timeout);
        let connections = connections.connect_lazy_with(self.connect.clone());
        let connecting = timeout(io_timeout, async {
            let (schema, own): (Option<String>, String) = sqlx::query_as(OWN_CHANNEL).fetch_one(&connections).await?;
            let mut listener = PgListener::connect_with(&connections).await?;
            listener.eager_reconnect(false);
            listener.listen_all([CHANGES, own.as_str()]).await?;
            Ok::<_, sqlx::Error>((listener, schema.unwrap_or_default(), own))
        });
        let (mut listener, schema, own) = connecting.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.state.notify(|listener| listener.anything_changed());

        let (sender, mut received) = mpsc::unbounded_channel();
        // A separate future, so that `select!` does not cancel it while it reads a message.
        let mut reading = pin!(async move {
            loop {
                // `None` means that the connection is lost.
                let notification = listener.try_recv().await?.ok_or(sqlx::Error::WorkerCrashed)?;
                if sender.send(notification).is_err() {
                    return Ok(());
                }
            }
        });
        let mut ticks = interval(self.bound / HEARTBEATS_PER_BOUND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heartbeats, mut last_received) = (Heartbeats::default(), Instant::now());
        let mut sending = pin!(None);
        loop {
            tokio::select! {
                lost = &mut reading => return lost,
                Some(notification) = received.recv() => {
                    if notification.channel() == own {
                        let number = notification.payload().parse().ok();
                        if let Some(sent_at) = number.and_then(|number| heartbeats.receive(number)) {
                            last_received = Instant::now();
                            self.heartbeat_received(sent_at);
                        }
                    } else {
                        self.forward(&notification, &schema);
                    }
                }
                _ = ticks.tick() => {
                    if last_received.elapsed() > 2 * io_timeout {
                        return Ok(());
                    }
                    if sending.as_ref().get_ref().is_none() {
                        let number = heartbeats.next();
                        sending.set(Some(send_heartbeat(connections.clone(), own.clone(), number, io_timeout)));
                    }
                }
                () = completion(sending.as_mut().as_pin_mut()) => sending.set(None),
            }
        }
    }

    fn heartbeat_received(&mut self, sent_at: Instant) {
        self.state.extend_until(sent_at + self.bound);
        if self.was_disconnected && self.state.is_current(Instant::now()) {
            self.was_disconnected = false;
            tracing::info!("invalidation feed reconnected");
        }
    }

    /// Forwards a notification of this schema's triggers to the listener. Its format is `<schema> user|session <id>`.
    fn forward(&self, notification: &PgNotification, schema: &str) {
        let change = notification.payload().strip_prefix(schema).and_then(|rest| rest.strip_prefix(' '));
        let Some((kind, id)) = change.and_then(|change| change.split_once(' ')) else { return };
        match (kind, id.parse(), id.parse()) {
            ("user", Ok(id), _) => self.state.notify(|listener| listener.user_changed(id)),
            ("session", _, Ok(id)) => self.state.notify(|listener| listener.session_ended(id)),
            _ => {}
        }
    }
}

/// Sends one heartbeat. A failure needs no handling: a heartbeat that is not received does not extend the current period.
async fn send_heartbeat(connections: PgPool, channel: String, number: u64, io_timeout: Duration) {
    let sent = sqlx::query(NOTIFY).bind(channel).bind(number.to_string()).execute(&connections);
    let _ = timeout(io_timeout, sent).await;
}

/// Completes when the heartbeat has been sent; never completes without one.
async fn completion(sending: Option<impl Future<Output = ()>>) {
    match sending {
        Some(sending) => sending.await,
        None => pending().await,
    }
}
