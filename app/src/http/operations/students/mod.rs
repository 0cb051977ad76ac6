//! `/students`: the roll.

mod wire;

use domain::student::{NamePart, RollNumber, StudentFilter, StudentId};
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use wire::{PageDocument, PatchDocument, StudentDocument, StudentInput};

use super::answers::{ChangeAnswer, CreateAnswer, FindAnswer, PageAnswer, RemoveAnswer};
use super::caller::Caller;
use super::{Tag, Use};
use crate::http::body::JsonBody;
use crate::http::conditional::demanded_version;
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters, whole};
use crate::http::page_link::next_link;
use crate::http::problem::{Kind, Refused, refusals};

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

pub struct StudentsApi;

#[OpenApi(tag = "Tag::Students")]
impl StudentsApi {
    /// List students
    ///
    /// A page of the roll in order of id. Follow `next` (or the `Link` header) until it is null to see the
    /// whole roll. Filters are joined by and.
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the operation")]
    #[oai(path = "/students", method = "get", operation_id = "listStudents")]
    async fn list(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The most students to answer at once.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<Loose<u16>>>,
        /// The `next` of the page before.
        after: Query<Option<Loose<String>>>,
        /// Only students whose name contains this, without regard to case.
        #[oai(validator(min_length = "1", max_length = "100"))]
        name: Query<Option<Loose<String>>>,
        /// Only the student with this roll number.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        roll_no: Query<Option<Loose<i64>>>,
    ) -> Result<PageAnswer<PageDocument>, Refused<Paging>> {
        let by = caller.reader()?;
        let mut parameters = Parameters::default();
        parameters.known(request, &["limit", "after", "name", "roll_no"]);
        let (size, after) = parameters.page(limit.0.as_ref(), after.0.as_ref());
        let filter = StudentFilter {
            name: parameters.take("name", name.0.as_ref(), NamePart::parse),
            roll_no: parameters.take("roll_no", roll_no.0.as_ref(), whole(RollNumber::parse)),
        };
        parameters.check()?;
        let page = uses.roll.page(&by, &filter, after, size).await?;
        let roll_no = filter.roll_no.map(|roll_no| roll_no.get().to_string());
        let filters = [("name", name.0.as_ref().map(Loose::as_str)), ("roll_no", roll_no.as_deref())];
        let filters: Vec<_> = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let path = PathPrefix::before(request, "/students");
        let link = page.next.map(|next| next_link(&path, next, size, &filters));
        Ok(PageAnswer::Page(JsonAnswer(page.into()), link))
    }

    /// Enrol a student
    ///
    /// Puts a new student on the roll.
    #[oai(path = "/students", method = "post", operation_id = "enrolStudent")]
    async fn enrol(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        body: JsonBody<StudentInput>,
    ) -> Result<CreateAnswer<StudentDocument>, Refused<Enrolling>> {
        let by = caller.registrar()?;
        let student = uses.roll.enrol(&by, body.read().await?).await?;
        let location = PathPrefix::before(request, &format!("/students/{}", student.id));
        Ok(CreateAnswer::new(student, location))
    }

    /// Get a student
    ///
    /// One student. With `If-None-Match` the answer is 304 while nothing has changed.
    #[oai(path = "/students/:id", method = "get", operation_id = "getStudent")]
    async fn find(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<FindAnswer<StudentDocument>, Refused<Finding>> {
        let by = caller.reader()?;
        let student = uses.roll.find(&by, id.0.id(Kind::UnknownStudent)?).await?;
        Ok(FindAnswer::new(student, request.headers()))
    }

    /// Replace a student
    ///
    /// Sets every field; an age that is absent is forgotten. With `If-Match` only while nobody else has
    /// changed the student.
    #[oai(path = "/students/:id", method = "put", operation_id = "replaceStudent")]
    async fn replace(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
        body: JsonBody<StudentInput>,
    ) -> Result<ChangeAnswer<StudentDocument>, Refused<Changing>> {
        let by = caller.registrar()?;
        let next = body.read().await?;
        let id: StudentId = id.0.id(Kind::UnknownStudent)?;
        let seen = demanded_version(request.headers(), id, uses.roll.find(&caller.reader()?, id)).await?;
        Ok(uses.roll.replace(&by, id, seen, next).await?.into())
    }

    /// Change a student
    ///
    /// Sets the fields that are given, by JSON Merge Patch (RFC 7396), also as
    /// `application/merge-patch+json`: null forgets the age. With `If-Match` only while nobody else has
    /// changed the student.
    #[oai(path = "/students/:id", method = "patch", operation_id = "patchStudent")]
    async fn patch(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
        body: JsonBody<PatchDocument>,
    ) -> Result<ChangeAnswer<StudentDocument>, Refused<Changing>> {
        let by = caller.registrar()?;
        let patch = body.read().await?;
        let id: StudentId = id.0.id(Kind::UnknownStudent)?;
        let seen = demanded_version(request.headers(), id, uses.roll.find(&caller.reader()?, id)).await?;
        Ok(uses.roll.amend(&by, id, seen, patch).await?.into())
    }

    /// Remove a student
    ///
    /// Takes a student off the roll, for good: the id is never used again. With `If-Match` only while nobody
    /// else has changed the student.
    #[oai(path = "/students/:id", method = "delete", operation_id = "removeStudent")]
    async fn remove(
        &self,
        caller: Caller,
        uses: Use<'_>,
        request: &Request,
        /// The student's id.
        #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
        id: Path<Loose<i64>>,
    ) -> Result<RemoveAnswer, Refused<Removing>> {
        let by = caller.registrar()?;
        let id: StudentId = id.0.id(Kind::UnknownStudent)?;
        let seen = demanded_version(request.headers(), id, uses.roll.find(&caller.reader()?, id)).await?;
        uses.roll.remove(&by, id, seen).await?;
        Ok(RemoveAnswer::Removed)
    }
}
