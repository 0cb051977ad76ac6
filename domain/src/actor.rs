//! Who does something, and when: every write carries it.

use time::OffsetDateTime;

use crate::user::UserId;

/// The one on whose behalf something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user with an account.
    User(UserId),
    /// The person at the machine's own command line.
    Operator,
    /// The service itself, as at its first start.
    Service,
}

/// Who changes something, and the time that the change is stamped with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub who: Who,
    /// UTC, whole microseconds: what every store keeps.
    pub at: OffsetDateTime,
}
