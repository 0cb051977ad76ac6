//! What a node remembers by itself, in bounded memory: the bearers of sessions, and guesses.

mod bearers;
mod guesses;

pub use bearers::CachedBearers;
pub use guesses::GuessMemory;
