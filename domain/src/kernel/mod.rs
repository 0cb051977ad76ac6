//! Shared types: identifiers, actors, pages, versions, values in use, and the ports to clock and randomness.

mod actor;
mod clock;
mod email;
mod filter;
mod fold;
mod grams;
pub(crate) mod hex;
mod id;
mod in_use;
mod invisible;
mod network;
mod order;
mod page;
mod page_size;
mod random;
mod store_error;
mod target;
mod text;
mod version;

pub use actor::{Actor, ActorId, ActorIdError, Origin};
pub use clock::{Clock, Moment, MonotonicClock};
pub use email::{Email, EmailError};
pub use filter::{Filter, Reach};
pub(crate) use fold::fold;
pub use fold::search_form;
pub use grams::{grams, search_grams};
pub use id::{Id, IdError, Kind, MAX_ID, SessionId, SessionKind, UserId, UserKind};
pub use in_use::{InUse, Used};
pub use invisible::Escaped;
pub(crate) use invisible::is_invisible;
pub use network::{SiteNetwork, network};
pub use order::{Order, SortKey, SortKeyKind, SortValue};
pub use page::{Cursor, CursorError, Listed, Page, PageRequest, SortedEntry};
pub use page_size::{PageSize, PageSizeError};
pub use random::{Random, RandomError};
pub use store_error::StoreError;
pub use target::{Target, TargetError};
pub use text::{LINE_PATTERN, Text, TextError};
pub(crate) use text::{line, new_line, text};
pub use version::Version;

#[cfg(feature = "mocks")]
pub use {clock::MockClock, clock::MockMonotonicClock, random::MockRandom};
