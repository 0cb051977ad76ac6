//! `/students`: student records.

use domain::record::Resource;
use domain::student::{
    Age, ExternalId, NamePart, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch,
};
use domain::{Email, Id, MAX_ID, Text};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::{Tag, UseCasesData};
use crate::http::conditional::{ReadCondition, WriteConditions};
use crate::http::export::{CsvFile, Export, Format, NdjsonFile};
use crate::http::problem::{OperationError, Problem, ProblemType, error_set};
use crate::http::request::{Body, By, ExportQuery, FromQuery, PageQuery, filters};
use crate::http::response::{Created, Deleted, Found, PageResponse, Updated};
use crate::http::wire::{Wire, integer_value, text_value, wire};

type Read = By<<Student as Resource>::Read>;
type Write = By<<Student as Resource>::Write>;

text_value!(StudentName, ExternalId);
text_value!(
    NamePart { "minLength": 1, "maxLength": StudentName::MAX_CHARS, "pattern": StudentName::PATTERN },
    |text: String| NamePart::parse(&text),
    NamePart::as_str
);
integer_value!(RollNumber, 1, MAX_ID, RollNumber::parse, RollNumber::get);
integer_value!(Age, Age::MIN, Age::MAX, Age::parse, Age::get);

wire! {
    /// A student.
    Student as StudentDocument "Student", StudentInput "StudentInput", StudentPatchInput "StudentPatch" => StudentPatch,
    in "students" {
        /// Full name, stored in Unicode normalization form C. Must not contain control characters, and must have a visible character.
        name: StudentName = "Asha Rao",
        /// Email address in ASCII, with a host name after the @.
        email: Email = "asha.rao@example.org",
        /// Roll number, unique among students.
        roll_no: RollNumber = 126,
        /// Age in completed years; null if unknown.
        age: Option<Age> = 20,
        /// Id of the student in another system, such as that of the school. Unique among students, and case-sensitive; null if there
        /// is none. Must contain only printable characters, and no white space at its ends.
        external_id: Option<ExternalId> = "A126",
    }
}

filters! {
    StudentFilter {
        /// Part of the student's name. Case and diacritics are ignored.
        name: NamePart,
        /// Roll number of the student.
        roll_no: RollNumber,
        /// Email address of the student. Case is ignored.
        email: Email,
        /// Id of the student in another system.
        external_id: ExternalId,
    }
}

impl From<StudentConflict> for Problem {
    fn from(conflict: StudentConflict) -> Self {
        match conflict {
            StudentConflict::RollNumberTaken => Self::new(ProblemType::RollNumberTaken),
            StudentConflict::ExternalIdTaken => Self::new(ProblemType::ExternalIdTaken),
        }
    }
}

error_set! {
    Listing: InvalidFields;
    Exporting: InvalidFields;
    Creating: RollNumberTaken, ExternalIdTaken, InvalidFields;
    Getting: RecordNotFound;
    Changing: RecordNotFound, RollNumberTaken, ExternalIdTaken, StaleVersion, InvalidFields;
    Deleting: RecordNotFound, StaleVersion;
}

pub struct StudentsApi;

#[OpenApi(tag = "Tag::Students")]
impl StudentsApi {
    /// List students
    ///
    /// Returns one page of the students, in the order of `sort`. To read all pages, follow `next` (or the `Link` header) until it is
    /// null. With several filters, only students that match all of them are returned. A search by name is ordered by id.
    #[oai(path = "/students", method = "get", operation_id = "listStudents")]
    async fn list(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
        query: FromQuery<PageQuery<StudentFilter>>,
    ) -> Result<PageResponse<StudentDocument>, OperationError<Listing>> {
        let _turn = uses.turn(&by, &query.filter).await;
        let page = uses.records.students.list(&by, &query.filter, query.page.clone()).await?;
        Ok(PageResponse::new(page, &query))
    }

    /// Create a student
    ///
    /// Creates a student record. The roll number and the external id must be unique.
    #[oai(path = "/students", method = "post", operation_id = "createStudent")]
    async fn create(
        &self,
        by: Write,
        uses: UseCasesData<'_>,
        body: Body<StudentInput>,
    ) -> Result<Created<StudentDocument>, OperationError<Creating>> {
        Ok(uses.records.students.create(&by, body.read().await?).await?.into())
    }

    /// Export students as CSV
    ///
    /// Returns all students that match the filters, as they are at one moment, for spreadsheets and other systems.
    #[oai(path = "/students.csv", method = "get", operation_id = "exportStudentsAsCsv")]
    async fn export_csv(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
        query: FromQuery<ExportQuery<StudentFilter, true>>,
    ) -> Result<Export<CsvFile>, OperationError<Exporting>> {
        let turn = uses.export_turns.turn(by.caller().user.id).await;
        let format = Format::Csv { for_spreadsheet: query.spreadsheet };
        let export = Export::start::<_, StudentDocument>;
        Ok(export(&uses.records.students, by.into_proof(), query.0.filter, format, turn).await?)
    }

    /// Export students as NDJSON
    ///
    /// Returns all students that match the filters, as they are at one moment: one JSON document per line.
    #[oai(path = "/students.ndjson", method = "get", operation_id = "exportStudentsAsNdjson")]
    async fn export_ndjson(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
        query: FromQuery<ExportQuery<StudentFilter, false>>,
    ) -> Result<Export<NdjsonFile>, OperationError<Exporting>> {
        let turn = uses.export_turns.turn(by.caller().user.id).await;
        let export = Export::start::<_, StudentDocument>;
        Ok(export(&uses.records.students, by.into_proof(), query.0.filter, Format::Ndjson, turn).await?)
    }

    /// Get a student
    ///
    /// Returns one student. With `If-None-Match`, the response is 304 if the record has not changed.
    #[oai(path = "/students/:id", method = "get", operation_id = "getStudent")]
    async fn get(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
        condition: ReadCondition,
        /// Id of the student.
        id: Path<Wire<Id<Student>>>,
    ) -> Result<Found<StudentDocument>, OperationError<Getting>> {
        Ok(Found::new(uses.records.students.get(&by, id.id()?).await?, &condition))
    }

    /// Replace a student
    ///
    /// Sets every field of a student. An absent age or external id is cleared. With `If-Match`, the record is replaced only if one
    /// of the entity tags matches.
    #[oai(path = "/students/:id", method = "put", operation_id = "replaceStudent")]
    async fn replace(
        &self,
        by: Write,
        uses: UseCasesData<'_>,
        conditions: WriteConditions,
        /// Id of the student.
        id: Path<Wire<Id<Student>>>,
        body: Body<StudentInput>,
    ) -> Result<Updated<StudentDocument>, OperationError<Changing>> {
        let (fields, id) = (body.read().await?, id.id()?);
        Ok(uses.records.students.replace(&by, id, &conditions.for_write(id), fields).await?.into())
    }

    /// Update a student
    ///
    /// Sets the given fields by JSON Merge Patch (RFC 7396). The media type is `application/json` or
    /// `application/merge-patch+json`. Null clears the age or the external id. With `If-Match`, the record is updated only if one of the entity
    /// tags matches.
    #[oai(path = "/students/:id", method = "patch", operation_id = "updateStudent")]
    async fn update(
        &self,
        by: Write,
        uses: UseCasesData<'_>,
        conditions: WriteConditions,
        /// Id of the student.
        id: Path<Wire<Id<Student>>>,
        body: Body<StudentPatchInput>,
    ) -> Result<Updated<StudentDocument>, OperationError<Changing>> {
        let (patch, id) = (body.read().await?, id.id()?);
        Ok(uses.records.students.update(&by, id, &conditions.for_write(id), patch).await?.into())
    }

    /// Delete a student
    ///
    /// Deletes a student record permanently. Its id is never reused. With `If-Match`, the record is deleted only if one of the
    /// entity tags matches.
    #[oai(path = "/students/:id", method = "delete", operation_id = "deleteStudent")]
    async fn delete(
        &self,
        by: Write,
        uses: UseCasesData<'_>,
        conditions: WriteConditions,
        /// Id of the student.
        id: Path<Wire<Id<Student>>>,
    ) -> Result<Deleted, OperationError<Deleting>> {
        let id = id.id()?;
        uses.records.students.delete(&by, id, &conditions.for_write(id)).await?;
        Ok(Deleted::Deleted)
    }
}
