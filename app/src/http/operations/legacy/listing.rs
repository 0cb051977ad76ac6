//! List of all students in one response, streamed page by page so that memory use does not depend on their number.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use domain::access::StudentsRead;
use domain::record::{Record, Records};
use domain::student::{Student, StudentFilter};
use domain::{Cursor, Page, PageRequest, StoreError};
use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};

use super::wire::{LegacyStudent, LegacyStudents};
use crate::http::edge::RequestId;
use crate::http::problem::{Problem, ProblemType};
use crate::http::wire::Described as _;

/// Delay between retries while the store is unavailable, after the response has started.
const RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRIES: u32 = 100;

/// The response to `GET /student`: every student, streamed, or one.
pub struct Listing(Body);

impl Listing {
    /// `{"Students": […]}` with every student. The first page is read before the response starts, so that an unavailable store
    /// results in a 503. Later pages are retried while the store is unavailable. If all retries fail, the response is aborted,
    /// so that the client detects that it is incomplete.
    pub async fn all(
        students: Records<Student>,
        by: StudentsRead,
        request_id: Option<&RequestId>,
    ) -> Result<Self, Problem> {
        let first = students.list(&by, &StudentFilter::default(), PageRequest::LARGEST).await?;
        let request_id = request_id.cloned();
        let state = StudentStream { students, by, page: Some(first), has_started: false, request_id };
        Ok(Self(Body::from_bytes_stream(stream::try_unfold(state, StudentStream::chunk))))
    }

    /// `{"Student": …}` with one student, or with an empty object.
    pub fn one(student: Option<Record<Student>>) -> Result<Self, Problem> {
        let mut json = b"{\"Student\":".to_vec();
        let written = match student {
            Some(student) => write(&mut json, student),
            None => json.write_all(b"{}").map_err(serde_json::Error::io),
        };
        written.map_err(|error| Problem::new(ProblemType::Internal).caused_by(error))?;
        json.push(b'}');
        Ok(Self(json.into()))
    }
}

/// State of the stream.
struct StudentStream {
    students: Records<Student>,
    by: StudentsRead,
    /// Next page to send; `None` after the last.
    page: Option<Page<Record<Student>>>,
    has_started: bool,
    /// For the log entry if the stream fails.
    request_id: Option<RequestId>,
}

impl StudentStream {
    async fn chunk(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let mut json = Vec::with_capacity(128 * (page.entries.len() + 1));
        if !self.has_started {
            json.extend(b"{\"Students\":[");
        }
        for student in page.entries {
            if self.has_started {
                json.push(b',');
            }
            self.has_started = true;
            write(&mut json, student).map_err(io::Error::other)?;
        }
        match page.next {
            Some(next) => {
                let page = self.page_after(next).await;
                self.page = Some(page.inspect_err(|error| self.log(error)).map_err(io::Error::other)?);
            }
            None => json.extend(b"]}"),
        }
        Ok(Some((json.into(), self)))
    }

    /// Reads the next page, with retries, because a started response cannot become a 503.
    async fn page_after(&self, next: Cursor) -> Result<Page<Record<Student>>, StoreError> {
        let all = StudentFilter::default();
        for _ in 0..MAX_RETRIES {
            match self
                .students
                .list(&self.by, &all, PageRequest { after: Some(next.clone()), ..PageRequest::LARGEST })
                .await
            {
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY_DELAY).await,
                page => return page,
            }
        }
        self.students.list(&self.by, &all, PageRequest { after: Some(next), ..PageRequest::LARGEST }).await
    }

    fn log(&self, error: &StoreError) {
        let request_id = self.request_id.as_ref().map(RequestId::as_str);
        tracing::error!(request_id, %error, cause = error.source().map(tracing::field::display), "response was aborted");
    }
}

fn write(json: &mut Vec<u8>, student: Record<Student>) -> serde_json::Result<()> {
    serde_json::to_writer(json, &LegacyStudent::from(student))
}

impl Payload for Listing {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        LegacyStudents::schema_ref()
    }

    fn register(registry: &mut Registry) {
        LegacyStudents::register(registry);
    }
}

impl IntoResponse for Listing {
    fn into_response(self) -> Response {
        let mut response = Response::from(self.0);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
