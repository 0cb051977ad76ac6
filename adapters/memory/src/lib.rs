//! What a node remembers by itself, in bounded memory: the bearers of sessions, guesses, and requests.

mod bearers;
mod buckets;
mod guesses;
mod network;
mod request_quotas;

pub use bearers::CachedBearers;
pub use guesses::GuessMemory;
pub use request_quotas::RequestQuotaMemory;
