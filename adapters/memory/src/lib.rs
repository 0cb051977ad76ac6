//! In-memory state of a node, bounded in size: session cache, login throttle, request quotas and turns of searches.

mod attempts_in_progress;
mod buckets;
mod login_throttle;
mod request_quotas;
mod session_cache;
#[cfg(test)]
mod test_clock;
mod turns;

pub use login_throttle::LoginThrottleMemory;
pub use request_quotas::RequestQuotaMemory;
pub use session_cache::SessionCache;
pub use turns::TurnsMemory;
