//! What a node remembers by itself, in bounded memory: the bearers of sessions, guesses, and requests.

mod buckets;
mod login_throttle;
mod network;
mod request_quotas;
mod session_cache;

pub use login_throttle::LoginThrottleMemory;
pub use request_quotas::RequestQuotaMemory;
pub use session_cache::SessionCache;
