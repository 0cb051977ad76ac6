//! Students as the articles' `/student` writes and reads them.

use domain::student::{Age, Email, RollNumber, Student, StudentFields, StudentName, StudentPatch};
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::http::body::{AtFault, Content, Fields, integer, text};
use crate::http::problem::{Fault, Kind, Problem};

/// A student, in the articles' words.
#[derive(Serialize, Object)]
#[oai(rename = "ArticleStudent", example)]
pub struct StudentDocument {
    /// Names this student, for ever.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: i64,
    #[oai(validator(min_length = "1", max_length = "100"))]
    name: String,
    #[oai(validator(max_length = "254"))]
    emailid: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    rollno: i64,
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
}

impl From<Student> for StudentDocument {
    fn from(student: Student) -> Self {
        Self {
            id: student.id.get(),
            name: student.fields.name.into(),
            emailid: student.fields.email.into(),
            rollno: student.fields.roll_no.get(),
            age: student.fields.age.map(Age::get),
        }
    }
}

impl Example for StudentDocument {
    fn example() -> Self {
        Self { id: 1, name: "Asha".into(), emailid: "asha@example.org".into(), rollno: 7, age: None }
    }
}

/// The student that was found: its fields, or none at all.
#[derive(Object)]
#[oai(rename = "ArticleStudentOrNothing")]
pub struct StudentOrNothing {
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    id: Option<i64>,
    #[oai(validator(min_length = "1", max_length = "100"))]
    name: Option<String>,
    #[oai(validator(max_length = "254"))]
    emailid: Option<String>,
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    rollno: Option<i64>,
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
}

/// The whole roll under `Students`, or with the query's `name` one student under `Student`.
#[derive(Object)]
#[oai(rename = "ArticleRoll")]
pub struct RollDocument {
    /// Every student, in order of id. There is no bound on their number.
    #[oai(rename = "Students")]
    students: Option<Vec<StudentDocument>>,
    /// The first student whose name contains the query's.
    #[oai(rename = "Student")]
    student: Option<StudentOrNothing>,
}

/// The changed student, under the articles' own key.
#[derive(Serialize, Object)]
#[oai(rename = "ArticleChangedStudent", example)]
pub struct ChangedDocument {
    pub author: StudentDocument,
}

impl Example for ChangedDocument {
    fn example() -> Self {
        Self { author: StudentDocument::example() }
    }
}

/// What was done, in words.
#[derive(Serialize, Object)]
#[oai(rename = "ArticleMessage", example)]
pub struct MessageDocument {
    pub msg: String,
}

impl Example for MessageDocument {
    fn example() -> Self {
        Self { msg: "Record deleted...!!!".into() }
    }
}

/// A new student, in the articles' words. Unknown keys are ignored.
#[derive(Object)]
#[oai(rename = "ArticleStudentInput", example)]
pub struct StudentInput {
    #[oai(validator(min_length = "1", max_length = "100"))]
    name: String,
    #[oai(validator(max_length = "254"))]
    emailid: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    rollno: i64,
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
}

impl Example for StudentInput {
    fn example() -> Self {
        Self { name: "Meera Nair".into(), emailid: "meera.nair@example.org".into(), rollno: 127, age: Some(21) }
    }
}

impl Content for StudentInput {
    type Parsed = StudentFields;

    const MEDIA_TYPES: &'static [&'static str] = &[];
    const IGNORES_UNKNOWN: bool = true;

    fn parse(fields: &mut Fields) -> Result<StudentFields, AtFault> {
        let name = fields.required("name", text(StudentName::parse));
        let email = fields.required("emailid", text(Email::parse));
        let roll_no = fields.required("rollno", integer(RollNumber::parse));
        let age = fields.optional("age", integer(Age::parse));
        Ok(StudentFields { name: name?, email: email?, roll_no: roll_no?, age: age? })
    }

    fn malformed(_detail: String) -> Problem {
        Problem::new(Kind::InvalidStudentData)
    }

    fn invalid(faults: Vec<Fault>) -> Problem {
        Problem::new(Kind::InvalidStudentData).with_faults(faults)
    }
}

/// The fields to change, in the articles' words. Unknown keys are ignored.
#[derive(Object)]
#[oai(rename = "ArticleStudentPatch", example)]
pub struct PatchDocument {
    #[oai(skip_serializing_if_is_none, validator(min_length = "1", max_length = "100"))]
    name: Option<String>,
    #[oai(skip_serializing_if_is_none, validator(max_length = "254"))]
    emailid: Option<String>,
    #[oai(skip_serializing_if_is_none, validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    rollno: Option<i64>,
    #[oai(nullable, skip_serializing_if_is_none, validator(minimum(value = "1"), maximum(value = "150")))]
    age: Option<u8>,
}

impl Example for PatchDocument {
    fn example() -> Self {
        Self { name: None, emailid: Some("asha@example.org".into()), rollno: None, age: Some(21) }
    }
}

impl Content for PatchDocument {
    type Parsed = StudentPatch;

    const MEDIA_TYPES: &'static [&'static str] = &[];
    const IGNORES_UNKNOWN: bool = true;

    fn parse(fields: &mut Fields) -> Result<StudentPatch, AtFault> {
        let name = fields.change("name", text(StudentName::parse));
        let email = fields.change("emailid", text(Email::parse));
        let roll_no = fields.change("rollno", integer(RollNumber::parse));
        let age = fields.clearable("age", integer(Age::parse));
        Ok(StudentPatch { name: name?, email: email?, roll_no: roll_no?, age: age? })
    }

    fn malformed(detail: String) -> Problem {
        StudentInput::malformed(detail)
    }

    fn invalid(faults: Vec<Fault>) -> Problem {
        StudentInput::invalid(faults)
    }
}
