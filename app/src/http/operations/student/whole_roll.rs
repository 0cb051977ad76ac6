//! The whole roll as one answer: streamed page by page, so that memory stays flat however long it is.

use std::io::{self, Write};

use bytes::Bytes;
use domain::PageSize;
use domain::student::{Roll, Student, StudentFilter, StudentPage};
use domain::user::Reader;
use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::Type;

use super::wire::{RollDocument, StudentDocument};
use crate::http::problem::{Kind, Problem};

/// An answer to `GET /student`: the roll in pieces, or one student.
pub struct RollAnswer(Body);

impl RollAnswer {
    /// `{"Students": […]}` with every student. The first page is read before the answer begins, so that a
    /// store that is away is told as one; a store that fails later cuts the answer off, which the client sees.
    pub async fn all(roll: Roll, reader: Reader) -> Result<Self, Problem> {
        let first = roll.page(&reader, &StudentFilter::default(), None, PageSize::LARGEST).await?;
        let rest = Rest { roll, reader, page: Some(first), begun: false };
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
    page: Option<StudentPage>,
    begun: bool,
}

impl Rest {
    async fn piece(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let mut json = Vec::with_capacity(128 * (page.students.len() + 1));
        if !self.begun {
            json.extend(b"{\"Students\":[");
        }
        for student in page.students {
            if self.begun {
                json.push(b',');
            }
            self.begun = true;
            write(&mut json, student).map_err(io::Error::other)?;
        }
        match page.next {
            Some(next) => {
                let page = self.roll.page(&self.reader, &StudentFilter::default(), Some(next), PageSize::LARGEST).await;
                self.page = Some(page.map_err(io::Error::other)?);
            }
            None => json.extend(b"]}"),
        }
        Ok(Some((json.into(), self)))
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
