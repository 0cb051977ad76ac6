//! `/students`: the roll.

mod answers;
mod wire;

use std::fmt::Write;

use domain::PageSize;
use domain::student::{Cursor, NamePart, RollNumber, StudentFilter, StudentId};
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use answers::{
    ChangeAnswer, Changing, EnrolAnswer, Enrolling, FindAnswer, Finding, PageAnswer, Paging, RemoveAnswer, Removing,
};
use wire::{PatchDocument, StudentInput};

use super::caller::Caller;
use super::{Tag, Use};
use crate::http::body::JsonBody;
use crate::http::conditional::{EntityTag, demanded_version, none_match_fails};
use crate::http::edge::PathPrefix;
use crate::http::json_answer::JsonAnswer;
use crate::http::loose::{Loose, Parameters, whole};
use crate::http::problem::{Kind, Problem, Refused};

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
    ) -> Result<PageAnswer, Refused<Paging>> {
        let by = caller.reader()?;
        let mut parameters = Parameters::default();
        parameters.known(request, &["limit", "after", "name", "roll_no"]);
        let size = parameters.take("limit", limit.0.as_ref(), whole(PageSize::parse)).unwrap_or_default();
        let after = parameters.take("after", after.0.as_ref(), str::parse::<Cursor>);
        let filter = StudentFilter {
            name: parameters.take("name", name.0.as_ref(), NamePart::parse),
            roll_no: parameters.take("roll_no", roll_no.0.as_ref(), whole(RollNumber::parse)),
        };
        parameters.check()?;
        let page = uses.roll.page(&by, &filter, after, size).await?;
        let link = page.next.map(|next| {
            let prefix = request.data::<PathPrefix>().map_or("", PathPrefix::as_str);
            next_link(prefix, next, size, name.0.as_ref().map(Loose::as_str), filter.roll_no)
        });
        Ok(PageAnswer::new(page, link))
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
    ) -> Result<EnrolAnswer, Refused<Enrolling>> {
        let by = caller.registrar()?;
        let student = uses.roll.enrol(&by, body.read().await?).await?;
        let location = PathPrefix::student(request, student.id);
        Ok(EnrolAnswer::new(student, location))
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
        /// The `ETag` of the version that the client has.
        #[oai(name = "If-None-Match")]
        _if_none_match: Header<Option<String>>,
    ) -> Result<FindAnswer, Refused<Finding>> {
        let by = caller.reader()?;
        let student = uses.roll.find(&by, student_id(&id.0)?).await?;
        let tag = EntityTag::of(&student).to_string();
        if none_match_fails(request.headers(), &student) {
            return Ok(FindAnswer::NotModified(tag));
        }
        Ok(FindAnswer::Found(JsonAnswer(student.into()), tag))
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
        /// The `ETag` of the version to replace.
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        body: JsonBody<StudentInput>,
    ) -> Result<ChangeAnswer, Refused<Changing>> {
        let by = caller.registrar()?;
        let next = body.read().await?;
        let id = student_id(&id.0)?;
        let seen = demanded_version(request.headers(), id, &uses.roll, &caller.reader()?).await?;
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
        /// The `ETag` of the version to change.
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
        body: JsonBody<PatchDocument>,
    ) -> Result<ChangeAnswer, Refused<Changing>> {
        let by = caller.registrar()?;
        let patch = body.read().await?;
        let id = student_id(&id.0)?;
        let seen = demanded_version(request.headers(), id, &uses.roll, &caller.reader()?).await?;
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
        /// The `ETag` of the version to remove.
        #[oai(name = "If-Match")]
        _if_match: Header<Option<String>>,
    ) -> Result<RemoveAnswer, Refused<Removing>> {
        let by = caller.registrar()?;
        let id = student_id(&id.0)?;
        let seen = demanded_version(request.headers(), id, &uses.roll, &caller.reader()?).await?;
        uses.roll.remove(&by, id, seen).await?;
        Ok(RemoveAnswer::Removed)
    }
}

/// What is no id names no student.
fn student_id(given: &Loose<i64>) -> Result<StudentId, Problem> {
    given.as_str().parse().map_err(|_| Problem::new(Kind::UnknownStudent))
}

/// The `Link` header's value for the next page (RFC 8288): the same question, behind `next`.
fn next_link(prefix: &str, next: Cursor, size: PageSize, name: Option<&str>, roll_no: Option<RollNumber>) -> String {
    let mut link = format!("<{prefix}/students?after={next}&limit={}", size.get());
    if let Some(name) = name {
        link.push_str("&name=");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                link.push(char::from(byte));
            } else {
                let _ = write!(link, "%{byte:02X}");
            }
        }
    }
    if let Some(roll_no) = roll_no {
        let _ = write!(link, "&roll_no={}", roll_no.get());
    }
    link + ">; rel=\"next\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn req_27_a_link_asks_the_same_question() {
        let next: Cursor = "000000000000001a".parse().unwrap();
        assert_eq!(
            next_link("/roll", next, PageSize::default(), Some("å&b"), RollNumber::parse(7).ok()),
            "</roll/students?after=000000000000001a&limit=50&name=%C3%A5%26b&roll_no=7>; rel=\"next\""
        );
    }
}
