//! Students as `/students` writes and reads them.

use domain::Page;
use domain::student::{Age, Email, RollNumber, Student, StudentFields, StudentName, StudentPatch};
use poem_openapi::Object;
use poem_openapi::types::{Example, MaybeUndefined};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::http::body::{AtFault, Content, Fields, integer, text};

/// A student on the roll.
#[derive(Serialize, Object)]
#[oai(rename = "Student", example)]
pub struct StudentDocument {
    /// Names this student, for ever.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    /// The name as people write it.
    #[oai(validator(min_length = "1", max_length = "100"))]
    name: String,
    /// The email address.
    #[oai(validator(max_length = "254"))]
    email: String,
    /// The number on the roll; no two students share one.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    roll_no: i64,
    /// The age in completed years; null where it is not known.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
    /// When the student was put on the roll.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When the student was last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Student> for StudentDocument {
    fn from(student: Student) -> Self {
        Self {
            id: student.id.get(),
            name: student.fields.name.into(),
            email: student.fields.email.into(),
            roll_no: student.fields.roll_no.get(),
            age: student.fields.age.map(Age::get),
            created_at: student.created_at,
            updated_at: student.updated_at,
        }
    }
}

impl Example for StudentDocument {
    fn example() -> Self {
        let example = StudentInput::example();
        Self {
            id: 26,
            name: example.name,
            email: example.email,
            roll_no: example.roll_no,
            age: Some(20),
            created_at: datetime!(2026-11-23 12:00 UTC),
            updated_at: datetime!(2026-11-23 12:00 UTC),
        }
    }
}

/// A piece of the roll, in order of id.
#[derive(Serialize, Object)]
#[oai(rename = "StudentPage", example)]
pub struct PageDocument {
    /// The students of this page.
    #[oai(validator(max_items = "200"))]
    students: Vec<StudentDocument>,
    /// The cursor of the next page, for `after`; null on the last page.
    #[oai(nullable)]
    next: Option<String>,
}

impl From<Page<Student>> for PageDocument {
    fn from(page: Page<Student>) -> Self {
        Self {
            students: page.entries.into_iter().map(Into::into).collect(),
            next: page.next.map(|next| next.to_string()),
        }
    }
}

impl Example for PageDocument {
    fn example() -> Self {
        Self { students: vec![StudentDocument::example()], next: Some("000000000000001a".into()) }
    }
}

/// All that is kept about a student.
#[derive(Object)]
#[oai(rename = "StudentInput", example, deny_unknown_fields)]
pub struct StudentInput {
    /// The name as people write it: not blank, no control characters.
    #[oai(validator(min_length = "1", max_length = "100"))]
    name: String,
    /// The email address: ASCII, with a host name behind the @.
    #[oai(validator(max_length = "254"))]
    email: String,
    /// The number on the roll; no other student may hold it.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    roll_no: i64,
    /// The age in completed years; null or absent where it is not known.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
}

impl Example for StudentInput {
    fn example() -> Self {
        Self { name: "Asha Rao".into(), email: "asha.rao@example.org".into(), roll_no: 126, age: Some(20) }
    }
}

impl Content for StudentInput {
    type Parsed = StudentFields;

    fn parse(fields: &mut Fields) -> Result<StudentFields, AtFault> {
        let name = fields.required("name", text(StudentName::parse));
        let email = fields.required("email", text(Email::parse));
        let roll_no = fields.required("roll_no", integer(RollNumber::parse));
        let age = fields.optional("age", integer(Age::parse));
        Ok(StudentFields { name: name?, email: email?, roll_no: roll_no?, age: age? })
    }
}

/// The fields to change; those that are absent stay as they are.
#[derive(Object)]
#[oai(rename = "StudentPatch", example, deny_unknown_fields)]
pub struct PatchDocument {
    /// The name as people write it: not blank, no control characters.
    #[oai(skip_serializing_if_is_none, validator(min_length = "1", max_length = "100"))]
    name: Option<String>,
    /// The email address: ASCII, with a host name behind the @.
    #[oai(skip_serializing_if_is_none, validator(max_length = "254"))]
    email: Option<String>,
    /// The number on the roll; no other student may hold it.
    #[oai(skip_serializing_if_is_none, validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    roll_no: Option<i64>,
    /// The age in completed years; null forgets it.
    #[oai(nullable, skip_serializing_if_is_none, validator(minimum(value = "1"), maximum(value = "150")))]
    age: MaybeUndefined<u8>,
}

impl Example for PatchDocument {
    fn example() -> Self {
        Self { name: None, email: Some("asha@example.org".into()), roll_no: None, age: MaybeUndefined::Value(21) }
    }
}

impl Content for PatchDocument {
    type Parsed = StudentPatch;

    const MEDIA_TYPES: &'static [&'static str] = &["application/json", "application/merge-patch+json"];

    fn parse(fields: &mut Fields) -> Result<StudentPatch, AtFault> {
        let name = fields.change("name", text(StudentName::parse));
        let email = fields.change("email", text(Email::parse));
        let roll_no = fields.change("roll_no", integer(RollNumber::parse));
        let age = fields.clearable("age", integer(Age::parse));
        Ok(StudentPatch { name: name?, email: email?, roll_no: roll_no?, age: age? })
    }
}
