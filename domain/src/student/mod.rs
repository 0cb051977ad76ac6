//! Students: who is on the roll.

mod age;
mod email;
mod filter;
mod name;
mod ports;
mod roll;
mod roll_number;
#[expect(clippy::module_inception, reason = "the entity of the noun that the folder is named after")]
mod student;

pub use age::{Age, AgeError};
pub use email::{Email, EmailError};
pub use filter::StudentFilter;
pub use name::{NamePart, StudentName, StudentNameError};
#[cfg(feature = "mocks")]
pub use ports::MockStudentStore;
pub use ports::{InsertError, RemoveError, ReplaceError, StudentStore};
pub use roll::{FindError, Roll};
pub use roll_number::{RollNumber, RollNumberError};
pub use student::{Student, StudentFields, StudentId, StudentPatch};
