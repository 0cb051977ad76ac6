//! Rollbook's domain: who may log in, who is on the roll, what a token says, and how long a session lasts.
//!
//! Pure by construction: no I/O, no runtime, no wire format. What the domain needs of the world stands
//! in ports (the `ports` module of each noun, [`Clock`] and [`Random`]), which adapters implement.

mod actor;
mod clock;
mod fold;
mod hex;
mod id;
mod page;
mod page_size;
mod probe;
mod random;
mod record;
mod store_error;
mod version;

pub mod audit;
#[cfg(feature = "contract")]
pub mod contract;
pub mod quota;
pub mod session;
pub mod student;
pub mod token;
pub mod user;

pub use actor::{Actor, Origin, Who, WhoError};
pub use clock::Clock;
pub use id::{IdError, MAX_ID};
pub use page::{Cursor, CursorError, Page};
pub use page_size::{PageSize, PageSizeError};
pub use probe::Probe;
pub use random::{Random, RandomError};
pub use record::Record;
pub use store_error::StoreError;
pub use version::Version;

#[cfg(feature = "mocks")]
pub use {clock::MockClock, probe::MockProbe, random::MockRandom};
