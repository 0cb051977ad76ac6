//! Students: who is on the roll.

mod age;
mod email;
mod name;
mod page;
mod ports;
mod roll;
mod roll_number;
#[expect(clippy::module_inception, reason = "the entity of the noun that the folder is named after")]
mod student;

pub use age::{Age, AgeError};
pub use email::{Email, EmailError};
pub use name::{NamePart, StudentName, StudentNameError};
pub use page::{Cursor, CursorError, StudentFilter, StudentPage};
#[cfg(feature = "mocks")]
pub use ports::MockStudentStore;
pub use ports::{InsertError, RemoveError, ReplaceError, StudentStore};
pub use roll::{FindError, Roll};
pub use roll_number::{RollNumber, RollNumberError};
pub use student::{Student, StudentFields, StudentId, StudentPatch};
