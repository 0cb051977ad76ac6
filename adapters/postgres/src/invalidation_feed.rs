//! Invalidation feed over LISTEN and NOTIFY.
//!
//! The schema's triggers send a notification in the transaction of the change. Each node also sends heartbeats to itself
//! through the database. The server delivers notifications in commit order, so a node that has received a heartbeat has
//! received every notification committed before the heartbeat was sent. The statement of the heartbeat also observes whether the
//! server is available, because it uses a connection of its own and needs no lock of a table.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use domain::session::InvalidationListener;
use domain::{SessionId, UserId};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgNotification, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use thiserror::Error;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::availability::{Availability, Observation};
use crate::connector::{ConnectError, Connector, Limits};
use crate::heartbeats::{HEARTBEATS_PER_BOUND, Heartbeats};

/// The channel of the schema's triggers.
const CHANGES: &str = "rollbook_invalidations";
/// Maximum interval of heartbeats and of attempts to reconnect, so that an outage and its end are noticed soon.
const MAX_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum time to wait for a response of the server.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Invalidation feed of one node. Dropping it stops the listening task.
pub(crate) struct NotifyFeed {
    state: Arc<State>,
    connector: Connector,
    availability: Arc<Availability>,
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
    pub fn new(connector: Connector, availability: Arc<Availability>, bound: Duration) -> Self {
        let state = State { listener: OnceLock::new(), base: Instant::now(), current_until: AtomicU64::new(0) };
        Self { state: Arc::new(state), connector, availability, bound, task: OnceLock::new() }
    }

    /// Starts the listening task. Later calls have no effect.
    pub fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        if self.state.listener.set(listener).is_ok() {
            let task = FeedTask {
                state: Arc::clone(&self.state),
                connector: self.connector.clone(),
                availability: Arc::clone(&self.availability),
                bound: self.bound,
                was_disconnected: AtomicBool::new(false),
            };
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

/// The listening task: receives notifications, sends heartbeats, and reports the server's availability.
struct FeedTask {
    state: Arc<State>,
    connector: Connector,
    availability: Arc<Availability>,
    bound: Duration,
    was_disconnected: AtomicBool,
}

/// A connection for heartbeats.
struct Control {
    connection: PgConnection,
    host: PgConnectOptions,
    schema: String,
    /// Random channel name for the heartbeats of this node.
    channel: String,
}

/// Reason why the feed is disconnected.
#[derive(Debug, Error)]
enum Lost {
    #[error("no response in time")]
    TimedOut,
    #[error("no heartbeat in time")]
    NoHeartbeat,
    /// A session keeps the default of its beginning, so that only a new one shows whether the database is read-only.
    #[error("a session rejects writes")]
    ReadOnly,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
}

impl Lost {
    /// Returns `true` if the server does not respond. After another error, the connections of requests may still work.
    fn is_outage(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Connect(error) => error.is_outage(),
            Self::NoHeartbeat | Self::ReadOnly | Self::Driver(_) => false,
        }
    }
}

impl FeedTask {
    async fn run(self) {
        loop {
            let cause = match self.connect().await {
                Ok(control) => self.listen(control).await.err().unwrap_or(Lost::NoHeartbeat),
                Err(lost) => lost,
            };
            if cause.is_outage() {
                self.availability.report(Observation::Away(cause.to_string().into()));
            }
            self.state.mark_disconnected();
            if !self.was_disconnected.swap(true, Ordering::Relaxed) {
                tracing::warn!(%cause, "invalidation feed disconnected: sessions are not cached until it reconnects");
            }
            sleep(self.interval()).await;
        }
    }

    /// Reports the state of the server, and rejects a read-only session.
    fn report(&self, observation: Observation) -> Result<(), Lost> {
        let is_read_only = matches!(observation, Observation::ReadOnly);
        self.availability.report(observation);
        if is_read_only { Err(Lost::ReadOnly) } else { Ok(()) }
    }

    fn interval(&self) -> Duration {
        (self.bound / HEARTBEATS_PER_BOUND).min(MAX_INTERVAL)
    }

    async fn connect(&self) -> Result<Control, Lost> {
        let (mut connection, host) = self.connector.connect(Limits::None).await?;
        let prepare = format!(
            "SELECT coalesce(current_schema(), '') AS schema, \
             'rollbook_beat_' || replace(gen_random_uuid()::text, '-', '') AS channel, {}",
            Observation::COLUMNS
        );
        let row = respond(sqlx::query(AssertSqlSafe(prepare)).fetch_one(&mut connection)).await?;
        self.report(Observation::read(&row)?)?;
        Ok(Control { connection, host: host.clone(), schema: row.try_get("schema")?, channel: row.try_get("channel")? })
    }

    /// Listens until the connection is lost or no heartbeat arrives for too long.
    async fn listen(&self, control: Control) -> Result<(), Lost> {
        let Control { connection, host, schema, channel } = control;
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(RESPONSE_TIMEOUT).connect_lazy_with(host);
        let mut listener = respond(PgListener::connect_with(&pool)).await?;
        listener.eager_reconnect(false);
        respond(listener.listen_all([CHANGES, channel.as_str()])).await?;
        self.state.notify(|listener| listener.anything_changed());
        let heartbeats = Heartbeats::new();
        tokio::select! {
            lost = self.receive(listener, &heartbeats, &schema, &channel) => lost,
            lost = self.beat(connection, &heartbeats, &channel) => lost,
        }
    }

    /// Receives notifications until the connection is lost.
    async fn receive(
        &self,
        mut listener: PgListener,
        heartbeats: &Heartbeats,
        schema: &str,
        channel: &str,
    ) -> Result<(), Lost> {
        loop {
            // `None` means that the connection is lost.
            let notification = listener.try_recv().await?.ok_or(sqlx::Error::WorkerCrashed)?;
            if notification.channel() == channel {
                let number = notification.payload().parse().ok();
                if let Some(sent_at) = number.and_then(|number| heartbeats.receive(number)) {
                    self.heartbeat_received(sent_at);
                }
            } else {
                self.forward(&notification, schema);
            }
        }
    }

    /// Sends heartbeats, and reports the server's availability, until the connection is lost or heartbeats are not received.
    async fn beat(&self, mut connection: PgConnection, heartbeats: &Heartbeats, channel: &str) -> Result<(), Lost> {
        let mut ticks = interval(self.interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let notify = format!("SELECT pg_notify($1, $2), {}", Observation::COLUMNS);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.availability.write_rejected() => return Err(Lost::ReadOnly),
            }
            if heartbeats.last_received().elapsed() > 2 * RESPONSE_TIMEOUT {
                return Err(Lost::NoHeartbeat);
            }
            let number = heartbeats.next().to_string();
            let notify = sqlx::query(AssertSqlSafe(notify.clone())).bind(channel).bind(number);
            let sent = respond(notify.fetch_one(&mut connection)).await?;
            self.report(Observation::read(&sent)?)?;
        }
    }

    fn heartbeat_received(&self, sent_at: Instant) {
        self.state.extend_until(sent_at + self.bound);
        if self.state.is_current(Instant::now()) && self.was_disconnected.swap(false, Ordering::Relaxed) {
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

/// Waits for a response of the server, with a limit.
async fn respond<T>(response: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Lost> {
    Ok(timeout(RESPONSE_TIMEOUT, response).await.map_err(|_| Lost::TimedOut)??)
}
