//! Audit log: events with actor, action, target, time and origin.

mod action;
mod denied_access_log;
mod denied_kind;
mod event;
mod ports;
mod review;

pub use action::{Action, ActionError};
pub use denied_access_log::DeniedAccessLog;
pub use event::{Event, EventFilter, EventId, EventKind, NewEvent};
pub use ports::AuditLog;
#[cfg(feature = "mocks")]
pub use ports::MockAuditLog;
pub use review::Review;
