//! The audit: who did what, to whom, when and from where.

mod action;
mod event;
mod ports;
mod refusals;
mod review;

pub use action::{Action, ActionError};
pub use event::{Event, EventFilter, EventId, EventKind, NewEvent};
pub use ports::AuditLog;
#[cfg(feature = "mocks")]
pub use ports::MockAuditLog;
pub use refusals::Refusals;
pub use review::Review;
