//! The machine's own clock and randomness: the adapters of the domain's ports to them.

mod clock;
mod random;

pub use clock::{StartedClock, SystemClock};
pub use random::SystemRandom;
