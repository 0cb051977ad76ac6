//! `/students/changes`: the feed of changes of students.

use domain::PageSize;
use domain::record::Resource;
use domain::student::{Change, ChangeToken, ChangesError, FollowedChanges, Student, StudentId};
use poem_openapi::OpenApi;
use serde_json::json;
use time::OffsetDateTime;

use super::students::StudentDocument;
use super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, Problem, ProblemType, error_set};
use crate::http::request::{By, ChangeQuery, FromQuery};
use crate::http::response::Json;
use crate::http::wire::{Int, List, Nested, response, text_value};

type Read = By<<Student as Resource>::Read>;

text_value!(
    ChangeToken { "minLength": ChangeToken::CHARS, "maxLength": ChangeToken::CHARS, "pattern": ChangeToken::PATTERN },
    |text: String| text.parse::<ChangeToken>(),
    |token: &ChangeToken| token.to_string()
);

const EXAMPLE_TOKEN: &str = "5b1e0f3c9a7d42680000000000000000000000000000001a";

response! {
    /// A change of a student.
    pub struct ChangeDocument as "StudentChange" {
        /// Id of the student.
        student_id: StudentId = 26,
        /// Number of the version that the change created, from 1: the last number in the entity tag of a student. That of a deletion is one
        /// higher than the last version.
        version: Int<1, { domain::MAX_ID }> = 1,
        /// Time of the change.
        at: OffsetDateTime = "2026-11-23T12:00:00Z",
        /// The student as it is now, possibly in a later version. Null once it is deleted.
        student: Option<Nested<StudentDocument>> = json!({
            "id": 26, "name": "Asha Rao", "email": "asha.rao@example.org", "roll_no": 126, "age": 20, "external_id": "A126",
            "etag": "\"student-26-1\"", "created_at": "2026-11-23T12:00:00Z", "updated_at": "2026-11-23T12:00:00Z"
        }),
    }
}

response! {
    /// A part of the feed.
    pub struct ChangesDocument as "StudentChanges" {
        /// The changes after the token, at most `limit`.
        changes: List<ChangeDocument, { PageSize::MAX as usize }> = json!([]),
        /// Token of the position after these changes, for `after`.
        next: ChangeToken = EXAMPLE_TOKEN,
        /// Whether there are more changes already.
        has_more: bool = false,
        /// Age in seconds of the oldest change that is stored but not returned yet, because a transaction that began before it has not
        /// ended. Usually 0.
        lag: Int<0, { domain::MAX_ID }> = 0,
    }
}

response! {
    /// A position in the feed.
    pub struct LatestDocument as "StudentChangePosition" {
        /// Token of the position after every change that is returned so far, for `after`.
        token: ChangeToken = EXAMPLE_TOKEN,
    }
}

impl From<Change> for ChangeDocument {
    fn from(change: Change) -> Self {
        let Change { student_id, version, at, student } = change;
        Self { student_id, version: Int(version.get()), at, student: student.map(|student| Nested(student.into())) }
    }
}

impl From<FollowedChanges> for ChangesDocument {
    fn from(FollowedChanges { changes, lag }: FollowedChanges) -> Self {
        Self {
            changes: List(changes.entries.into_iter().map(ChangeDocument::from).collect()),
            next: changes.next,
            has_more: changes.has_more,
            lag: Int(lag.whole_seconds()),
        }
    }
}

impl From<ChangesError> for Problem {
    fn from(error: ChangesError) -> Self {
        match error {
            ChangesError::OtherFeed => Self::new(ProblemType::OtherFeed),
            ChangesError::FromTheFuture => Self::new(ProblemType::FutureChangeToken),
            ChangesError::Expired => Self::new(ProblemType::ExpiredChangeToken),
            ChangesError::Store(error) => error.into(),
        }
    }
}

error_set! {
    Following: OtherFeed, FutureChangeToken, ExpiredChangeToken, InvalidFields;
    GettingLatest: ;
}

pub struct ChangesApi;

#[OpenApi(tag = "Tag::Students")]
impl ChangesApi {
    /// List changes of students
    ///
    /// Returns the changes after a token. To follow all changes, repeat the request with `next` of the response; with `wait`, the
    /// response is sent once there is a change. No change is skipped, but changes are not always in the order of their commits, and the
    /// list that you read first contains some of them: apply a student if its version is later than the one you have, and a deletion
    /// always. Tokens are rejected with 410 once a change after them was deleted, 30 days after it unless the server is configured
    /// otherwise, and after the store was restored from a backup, or a standby of its
    /// database was promoted: then start again.
    #[oai(path = "/students/changes", method = "get", operation_id = "listStudentChanges")]
    async fn list(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
        query: FromQuery<ChangeQuery>,
    ) -> Result<Json<ChangesDocument>, OperationError<Following>> {
        let ChangeQuery { after, size, wait } = query.0;
        let mut followed = uses.changes.after(&by, after, size).await?;
        if followed.changes.entries.is_empty() && !wait.is_zero() {
            let _reading = uses.change_watch.wait(after, wait).await;
            followed = uses.changes.after(&by, after, size).await?;
        }
        uses.change_watch.observe_lag(followed.lag);
        Ok(Json(followed.into()))
    }

    /// Get the latest position in the changes of students
    ///
    /// Returns a token to start from. For a complete copy of all students: get this token, then read the list of students, then follow
    /// the changes after the token.
    #[oai(path = "/students/changes/latest", method = "get", operation_id = "getLatestStudentChange")]
    async fn latest(
        &self,
        by: Read,
        uses: UseCasesData<'_>,
    ) -> Result<Json<LatestDocument>, OperationError<GettingLatest>> {
        Ok(Json(LatestDocument { token: uses.changes.latest(&by).await? }))
    }
}
