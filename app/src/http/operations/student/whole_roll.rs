//! The whole roll as one answer: streamed page by page, so that memory stays flat however long it is.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use domain::student::{Roll, Student, StudentFilter};
use domain::user::Reader;
use domain::{Cursor, Page, PageSize, StoreError};
use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::Type;

use super::wire::{RollDocument, StudentDocument};
use crate::http::edge::RequestId;
use crate::http::problem::{Kind, Problem};

/// How long an answer that has begun waits for a store that is busy, and how often.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 100;

/// An answer to `GET /student`: the roll in pieces, or one student.
pub struct RollAnswer(Body);

impl RollAnswer {
    /// `{"Students": […]}` with every student. The first page is read before the answer begins, so that a
    /// store that is away is told as one. A store that is busy later is waited for; one that stays away cuts the answer
    /// off, which the client sees.
    pub async fn all(roll: Roll, reader: Reader, request_id: Option<&RequestId>) -> Result<Self, Problem> {
        let first = roll.page(&reader, &StudentFilter::default(), None, PageSize::LARGEST).await?;
        let request_id = request_id.cloned();
        let rest = Rest { roll, reader, page: Some(first), begun: false, request_id };
        Ok(Self(Body::from_bytes_stream(stream::try_unfold(rest, Rest::piece))))
    }

    /// `{"Student": …}` with one student, or with an empty object.
    pub fn one(student: Option<Student>) -> Result<Self, Problem> {
        let mut json = b"{\"Student\":".to_vec();
        let written = match student {
            Some(student) => write(&mut json, student),
            None => json.write_all(b"{}").map_err(serde_json::Error::io),
        };
        written.map_err(|error| Problem::new(Kind::Internal).caused_by(error))?;
        json.push(b'}');
        Ok(Self(json.into()))
    }
}

/// What of the roll is still to be sent.
struct Rest {
    roll: Roll,
    reader: Reader,
    /// The page to be sent next; `None` behind the last.
    page: Option<Page<Student>>,
    begun: bool,
    /// For the log, should the rest fail.
    request_id: Option<RequestId>,
}

impl Rest {
    async fn piece(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let mut json = Vec::with_capacity(128 * (page.entries.len() + 1));
        if !self.begun {
            json.extend(b"{\"Students\":[");
        }
        for student in page.entries {
            if self.begun {
                json.push(b',');
            }
            self.begun = true;
            write(&mut json, student).map_err(io::Error::other)?;
        }
        match page.next {
            Some(next) => {
                let page = self.page_behind(next).await;
                self.page = Some(page.inspect_err(|error| self.log(error)).map_err(io::Error::other)?);
            }
            None => json.extend(b"]}"),
        }
        Ok(Some((json.into(), self)))
    }
}

impl Rest {
    /// The next page. An answer that has begun waits its turn where a new one would be put off.
    async fn page_behind(&self, next: Cursor) -> Result<Page<Student>, StoreError> {
        let everybody = StudentFilter::default();
        for _ in 0..TRIES {
            match self.roll.page(&self.reader, &everybody, Some(next), PageSize::LARGEST).await {
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                page => return page,
            }
        }
        self.roll.page(&self.reader, &everybody, Some(next), PageSize::LARGEST).await
    }

    fn log(&self, error: &StoreError) {
        let request_id = self.request_id.as_ref().map(RequestId::as_str);
        tracing::error!(request_id, %error, cause = error.source().map(tracing::field::display), "an answer was cut off");
    }
}

fn write(json: &mut Vec<u8>, student: Student) -> serde_json::Result<()> {
    serde_json::to_writer(json, &StudentDocument::from(student))
}

impl Payload for RollAnswer {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        RollDocument::schema_ref()
    }

    fn register(registry: &mut Registry) {
        RollDocument::register(registry);
    }
}

impl IntoResponse for RollAnswer {
    fn into_response(self) -> Response {
        let mut answer = Response::from(self.0);
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}
