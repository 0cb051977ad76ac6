//! Heartbeats of the invalidation feed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Heartbeats per revocation bound. The feed stays current while fewer consecutive heartbeats than this are lost.
pub(crate) const HEARTBEATS_PER_BOUND: u32 = 4;
/// Maximum number of pending heartbeats. An older one can no longer extend the current period.
const MAX_PENDING: usize = 4 * HEARTBEATS_PER_BOUND as usize;

/// The heartbeats of one connection.
pub(crate) struct Heartbeats(Mutex<State>);

struct State {
    /// Those that were sent and not yet received, oldest first.
    sent: VecDeque<(u64, Instant)>,
    last: u64,
    last_received: Instant,
}

impl Heartbeats {
    pub fn new() -> Self {
        Self(Mutex::new(State { sent: VecDeque::new(), last: 0, last_received: Instant::now() }))
    }

    /// Number of the next heartbeat, which is sent now.
    pub fn next(&self) -> u64 {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.sent.push_back((number, Instant::now()));
        if state.sent.len() > MAX_PENDING {
            state.sent.pop_front();
        }
        number
    }

    /// Records a received heartbeat and returns the time at which it was sent.
    pub fn receive(&self, number: u64) -> Option<Instant> {
        let mut state = self.lock();
        let sent_at = state.sent.iter().find(|(sent, _)| *sent == number).map(|(_, at)| *at)?;
        state.sent.retain(|(sent, _)| *sent > number);
        state.last_received = Instant::now();
        Some(sent_at)
    }

    /// Time at which a heartbeat was last received, or of the connection.
    pub fn last_received(&self) -> Instant {
        self.lock().last_received
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
