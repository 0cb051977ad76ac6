//! `/student`: the operations of the articles, wire-compatible.

mod listing;
mod wire;

use domain::access::{StudentsRead, StudentsWrite};
use domain::record::{Precondition, RecordError};
use domain::student::{NamePart, Student, StudentFilter, StudentId};
use poem::Request;
use poem_openapi::param::Query;
use poem_openapi::{ApiResponse, OpenApi};

use listing::Listing;
use wire::{AnyText, LegacyChange, LegacyMessage, LegacyStudent, LegacyStudentInput, LegacyStudentPatch};

use super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, Problem, ProblemType, error_set};
use crate::http::request::{Body, By};
use crate::http::response::Json;
use crate::http::wire::{Nested, Wire};

#[derive(ApiResponse)]
enum Listed {
    /// Contains all students, or with `name` the first match.
    #[oai(status = 200)]
    Students(Listing),
}

#[derive(ApiResponse)]
enum Created {
    /// The student was created.
    #[oai(status = 201)]
    Created(
        Json<LegacyStudent>,
        /// Path of the student.
        #[oai(header = "Location")]
        String,
    ),
}

error_set! {
    Reading: ;
    Creating: InvalidStudentData;
    Changing: InvalidStudentData, MissingStudentId, WrongStudentId;
    Deleting: MissingStudentId, WrongStudentId;
}

pub struct LegacyApi;

#[OpenApi(tag = "Tag::Legacy")]
impl LegacyApi {
    /// List students (legacy)
    ///
    /// Returns all students in `Students`. With `name`, returns the first student with a matching name in `Student`, or an
    /// empty object if no name matches. Use `GET /students` instead.
    #[oai(path = "/student", method = "get", operation_id = "listLegacyStudents", deprecated)]
    async fn list(
        &self,
        by: By<StudentsRead>,
        uses: UseCasesData<'_>,
        request: &Request,
        /// Part of the student's name. Case and diacritics are ignored.
        name: Query<Option<Wire<AnyText>>>,
    ) -> Result<Listed, OperationError<Reading>> {
        let name = name.0.as_ref().and_then(Wire::text).unwrap_or_default();
        if name.is_empty() {
            let all = Listing::all(uses.records.students.clone(), by.into_proof(), request.data()).await?;
            return Ok(Listed::Students(all));
        }
        // An invalid part matches no name.
        let student = match NamePart::parse(name) {
            Ok(part) => {
                let filter = StudentFilter { name: Some(part), ..StudentFilter::default() };
                let _turn = uses.turn(&by, &filter).await;
                uses.records.students.first(&by, &filter).await?
            }
            Err(_) => None,
        };
        Ok(Listed::Students(Listing::one(student)?))
    }

    /// Create a student (legacy)
    ///
    /// Creates a student record. Use `POST /students` instead.
    #[oai(path = "/student", method = "post", operation_id = "createLegacyStudent", deprecated)]
    async fn create(
        &self,
        by: By<StudentsWrite>,
        uses: UseCasesData<'_>,
        body: Body<LegacyStudentInput>,
    ) -> Result<Created, OperationError<Creating>> {
        let student = uses.records.students.create(&by, body.read().await?).await.map_err(legacy_problem)?;
        let location = format!("/students/{}", student.id);
        Ok(Created::Created(Json(student.into()), location))
    }

    /// Update a student (legacy)
    ///
    /// Sets the given fields. Use `PATCH /students/{id}` instead.
    #[oai(path = "/student", method = "put", operation_id = "updateLegacyStudent", deprecated)]
    async fn update(
        &self,
        by: By<StudentsWrite>,
        uses: UseCasesData<'_>,
        /// Id of the student.
        student_id: Query<Wire<StudentId>>,
        body: Body<LegacyStudentPatch>,
    ) -> Result<Json<LegacyChange>, OperationError<Changing>> {
        let id = required_id(&student_id)?;
        let patch = body.read().await?;
        let student = uses.records.students.update(&by, id, &Precondition::Any, patch).await.map_err(legacy_problem)?;
        Ok(Json(LegacyChange { author: Nested(student.into()) }))
    }

    /// Delete a student (legacy)
    ///
    /// Deletes a student record permanently. Use `DELETE /students/{id}` instead.
    #[oai(path = "/student", method = "delete", operation_id = "deleteLegacyStudent", deprecated)]
    async fn delete(
        &self,
        by: By<StudentsWrite>,
        uses: UseCasesData<'_>,
        /// Id of the student.
        student_id: Query<Wire<StudentId>>,
    ) -> Result<Json<LegacyMessage>, OperationError<Deleting>> {
        let id = required_id(&student_id)?;
        uses.records.students.delete(&by, id, &Precondition::Any).await.map_err(legacy_problem)?;
        Ok(Json(LegacyMessage { msg: "Record deleted...!!!" }))
    }
}

/// Parses the id in the query.
fn required_id(student_id: &Wire<StudentId>) -> Result<StudentId, Problem> {
    match student_id.text() {
        None | Some("") => Err(Problem::new(ProblemType::MissingStudentId)),
        Some(id) => id.parse().map_err(|_| Problem::new(ProblemType::WrongStudentId)),
    }
}

/// Maps record errors to the problems of the articles.
fn legacy_problem(error: RecordError<Student>) -> Problem {
    match error {
        RecordError::NotFound | RecordError::Stale => Problem::new(ProblemType::WrongStudentId),
        RecordError::Rejected(_) => Problem::new(ProblemType::InvalidStudentData),
        RecordError::Store(error) => error.into(),
    }
}
