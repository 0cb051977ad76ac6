//! `/student`: the articles' own operations, to the letter. Clients of old read these answers.

mod whole_roll;
mod wire;

use domain::student::{InsertError, NamePart, RemoveError, ReplaceError, StudentFilter, StudentId};
use poem::Request;
use poem_openapi::param::Query;
use poem_openapi::{ApiResponse, OpenApi};

use whole_roll::RollAnswer;
use wire::{ChangedDocument, MessageDocument, PatchDocument, StudentDocument, StudentInput};

use super::caller::Caller;
use super::{Tag, Use};
use crate::http::body::JsonBody;
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::Loose;
use crate::http::problem::{Kind, Problem, Refused, refusals};

#[derive(ApiResponse)]
enum ReadAnswer {
    /// The whole roll, or with `name` one student.
    #[oai(status = 200)]
    Roll(RollAnswer),
}

#[derive(ApiResponse)]
enum EnrolAnswer {
    /// The student is on the roll.
    #[oai(status = 201)]
    Enrolled(
        JsonAnswer<StudentDocument>,
        /// Where the student is found from now on.
        #[oai(header = "Location")]
        String,
    ),
}

#[derive(ApiResponse)]
enum ChangeAnswer {
    /// The student as it is now.
    #[oai(status = 200)]
    Changed(JsonAnswer<ChangedDocument>),
}

#[derive(ApiResponse)]
enum RemoveAnswer {
    /// The student is off the roll.
    #[oai(status = 200)]
    Removed(JsonAnswer<MessageDocument>),
}

refusals! {
    /// A look at the roll is refused for nothing of its own.
    Reading: ;
    /// What a new student can be refused for.
    Enrolling: InvalidStudentData;
    /// What a change of a student can be refused for.
    Changing: InvalidStudentData, MissingStudentId, WrongStudentId;
    /// What the removal of a student can be refused for.
    Removing: MissingStudentId, WrongStudentId;
}

pub struct StudentApi;

#[OpenApi(tag = "Tag::Articles")]
impl StudentApi {
    /// Read the roll (articles)
    ///
    /// All students under `Students`; with `name` the first student whose name contains it, without regard to
    /// case, under `Student`, or an empty object there. Use `GET /students` instead.
    #[oai(path = "/student", method = "get", operation_id = "readArticleRoll", deprecated)]
    async fn read(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// A part of the name to look for.
        name: Query<Option<Loose<String>>>,
    ) -> Result<ReadAnswer, Refused<Reading>> {
        let by = caller.reader()?;
        let name = name.0.as_ref().map_or("", Loose::as_str);
        if name.is_empty() {
            return Ok(ReadAnswer::Roll(RollAnswer::all(uses.roll.clone(), by, request.data()).await?));
        }
        // What cannot be a part of a name is a part of nobody's.
        let student = match NamePart::parse(name) {
            Ok(part) => uses.roll.first(&by, &StudentFilter { name: Some(part), roll_no: None }).await?,
            Err(_) => None,
        };
        Ok(ReadAnswer::Roll(RollAnswer::one(student)?))
    }

    /// Enrol a student (articles)
    ///
    /// Puts a new student on the roll. Use `POST /students` instead.
    #[oai(path = "/student", method = "post", operation_id = "enrolArticleStudent", deprecated)]
    async fn enrol(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        body: JsonBody<StudentInput>,
    ) -> Result<EnrolAnswer, Refused<Enrolling>> {
        let by = caller.registrar()?;
        let student = uses.roll.enrol(&by, body.read().await?).await.map_err(|error| match error {
            InsertError::RollNumberTaken => Problem::new(Kind::InvalidStudentData),
            InsertError::Store(error) => error.into(),
        })?;
        let location = PathPrefix::before(request, &format!("/students/{}", student.id));
        Ok(EnrolAnswer::Enrolled(JsonAnswer(student.into()), location))
    }

    /// Change a student (articles)
    ///
    /// Sets the fields that are given. Use `PATCH /students/{id}` instead.
    #[oai(path = "/student", method = "put", operation_id = "changeArticleStudent", deprecated)]
    async fn change(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        student_id: Query<Option<Loose<i64>>>,
        body: JsonBody<PatchDocument>,
    ) -> Result<ChangeAnswer, Refused<Changing>> {
        let by = caller.registrar()?;
        let id = named(student_id.0.as_ref())?;
        let patch = body.read().await?;
        let student = uses.roll.amend(&by, id, None, patch).await.map_err(|error| match error {
            ReplaceError::Unknown => Problem::new(Kind::WrongStudentId),
            ReplaceError::Stale | ReplaceError::RollNumberTaken => Problem::new(Kind::InvalidStudentData),
            ReplaceError::Store(error) => error.into(),
        })?;
        Ok(ChangeAnswer::Changed(JsonAnswer(ChangedDocument { author: student.into() })))
    }

    /// Remove a student (articles)
    ///
    /// Takes a student off the roll. Use `DELETE /students/{id}` instead.
    #[oai(path = "/student", method = "delete", operation_id = "removeArticleStudent", deprecated)]
    async fn remove(
        &self,
        caller: Caller,
        uses: Use<'_>,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        student_id: Query<Option<Loose<i64>>>,
    ) -> Result<RemoveAnswer, Refused<Removing>> {
        let by = caller.registrar()?;
        let id = named(student_id.0.as_ref())?;
        uses.roll.remove(&by, id, None).await.map_err(|error| match error {
            RemoveError::Unknown | RemoveError::Stale => Problem::new(Kind::WrongStudentId),
            RemoveError::Store(error) => error.into(),
        })?;
        Ok(RemoveAnswer::Removed(JsonAnswer(MessageDocument { msg: "Record deleted...!!!".to_owned() })))
    }
}

/// The student that the query names.
fn named(student_id: Option<&Loose<i64>>) -> Result<StudentId, Problem> {
    match student_id.map(Loose::as_str) {
        None | Some("") => Err(Problem::new(Kind::MissingStudentId)),
        Some(id) => id.parse().map_err(|_| Problem::new(Kind::WrongStudentId)),
    }
}
