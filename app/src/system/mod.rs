//! Adapters of the domain's ports for time and randomness.

mod clock;
mod random;

pub use clock::{StartedClock, SystemClock};
pub use random::SystemRandom;
