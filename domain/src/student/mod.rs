//! Students.

mod age;
mod changes;
mod entity;
mod external_id;
mod name;
mod ports;
mod roll_number;
#[cfg(feature = "contract")]
mod sample;

pub use age::{Age, AgeError};
#[cfg(feature = "mocks")]
pub use changes::MockChangeFeed;
pub use changes::{
    Change, ChangeFeed, ChangePosition, ChangeRetention, ChangeRetentionError, ChangeToken, ChangeTokenError, Changes,
    ChangesError, FeedState, FollowChanges, FollowedChanges,
};
pub use entity::{Student, StudentConflict, StudentFilter, StudentId, StudentPatch};
pub use external_id::ExternalId;
pub use name::{NamePart, StudentName};
#[cfg(feature = "mocks")]
pub use ports::MockNameIndex;
pub use ports::NameIndex;
pub use roll_number::{RollNumber, RollNumberError};
