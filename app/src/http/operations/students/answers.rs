//! What the operations on `/students` answer.

use domain::student::{Student, StudentPage};
use poem_openapi::ApiResponse;

use super::wire::{PageDocument, StudentDocument};
use crate::http::conditional::EntityTag;
use crate::http::json_answer::JsonAnswer;
use crate::http::problem::refusals;

#[derive(ApiResponse)]
pub enum PageAnswer {
    /// A piece of the roll.
    #[oai(status = 200)]
    Page(
        JsonAnswer<PageDocument>,
        /// The next page, as `rel="next"` (RFC 8288); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

impl PageAnswer {
    pub fn new(page: StudentPage, link: Option<String>) -> Self {
        Self::Page(JsonAnswer(page.into()), link)
    }
}

#[derive(ApiResponse)]
pub enum EnrolAnswer {
    /// The student is on the roll.
    #[oai(status = 201)]
    Enrolled(
        JsonAnswer<StudentDocument>,
        /// Where the student is found from now on.
        #[oai(header = "Location")]
        String,
        /// The student's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl EnrolAnswer {
    pub fn new(student: Student, location: String) -> Self {
        let tag = EntityTag::of(&student).to_string();
        Self::Enrolled(JsonAnswer(student.into()), location, tag)
    }
}

#[derive(ApiResponse)]
pub enum FindAnswer {
    /// The student.
    #[oai(status = 200)]
    Found(
        JsonAnswer<StudentDocument>,
        /// The student's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// The student is as `If-None-Match` knows it.
    #[oai(status = 304)]
    NotModified(
        /// The student's version.
        #[oai(header = "ETag")]
        String,
    ),
}

#[derive(ApiResponse)]
pub enum ChangeAnswer {
    /// The student as it is now.
    #[oai(status = 200)]
    Changed(
        JsonAnswer<StudentDocument>,
        /// The student's new version.
        #[oai(header = "ETag")]
        String,
    ),
}

impl From<Student> for ChangeAnswer {
    fn from(student: Student) -> Self {
        let tag = EntityTag::of(&student).to_string();
        Self::Changed(JsonAnswer(student.into()), tag)
    }
}

#[derive(ApiResponse)]
pub enum RemoveAnswer {
    /// The student is off the roll.
    #[oai(status = 204)]
    Removed,
}

refusals! {
    /// What a look at the roll can be refused for.
    Paging: InvalidFields;
    /// What a new student can be refused for.
    Enrolling: RollNumberTaken, InvalidFields;
    /// What a look at a student can be refused for.
    Finding: UnknownStudent;
    /// What a change of a student can be refused for.
    Changing: UnknownStudent, RollNumberTaken, StaleVersion, InvalidFields;
    /// What the removal of a student can be refused for.
    Removing: UnknownStudent, StaleVersion;
}
