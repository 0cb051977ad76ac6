//! Exports: all records of a list as one stream, in a format for files.

mod format;

use std::borrow::Cow;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::ops::ControlFlow;
use std::time::Duration;

use async_trait::async_trait;
use domain::StoreError;
use domain::record::{Record, Records, Resource, Visitor};
use futures_util::{StreamExt as _, stream};
use poem::http::HeaderValue;
use poem::http::header::CONTENT_TYPE;
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::response::InCollection;
use super::wire::{Described, description};

pub use format::Format;

/// Maximum time until the client has received a batch of records, about 150 KB. An export holds a state of the store, and clients
/// that read slower would hold it for long.
const PROGRESS: Duration = Duration::from_secs(30);
/// Maximum duration of an export.
const DEADLINE: Duration = Duration::from_mins(30);

/// What an export sends to its response. Without [`Part::End`], the export was interrupted.
enum Part {
    Text(Vec<u8>),
    Failed(StoreError),
    End,
}

/// Sends the records of an export to its response.
struct Sender<D> {
    format: Format,
    parts: mpsc::Sender<Part>,
    is_first: bool,
    is_interrupted: bool,
    document: PhantomData<fn() -> D>,
}

#[async_trait]
impl<R: Resource, D: Described + Serialize + From<Record<R>>> Visitor<R> for Sender<D> {
    async fn visit(&mut self, records: Vec<Record<R>>) -> ControlFlow<()> {
        let is_first = mem::take(&mut self.is_first);
        let part = match self.format.write(records.into_iter().map(D::from), is_first) {
            Ok(text) => Part::Text(text),
            Err(error) => Part::Failed(StoreError::failed(error)),
        };
        self.send(part).await
    }
}

impl<D> Sender<D> {
    /// Breaks if the client has closed the connection, or reads too slowly.
    async fn send(&mut self, part: Part) -> ControlFlow<()> {
        match timeout(PROGRESS, self.parts.send(part)).await {
            Ok(Ok(())) => return ControlFlow::Continue(()),
            Ok(Err(_)) => {}
            Err(_) => tracing::warn!("an export was interrupted: its client received nothing for 30 seconds"),
        }
        self.is_interrupted = true;
        ControlFlow::Break(())
    }
}

/// Starts an export, and returns its body once the first records are there.
async fn body<R, D>(
    records: &Records<R>,
    by: R::Read,
    filter: R::Filter,
    format: Format,
    turn: Box<dyn Send>,
) -> Result<Body, StoreError>
where
    R: Resource,
    D: Described + Serialize + From<Record<R>> + 'static,
{
    let (parts, mut received) = mpsc::channel(1);
    let records = records.clone();
    tokio::spawn(async move {
        let _turn = turn;
        let document = PhantomData::<fn() -> D>;
        let mut sender = Sender { format, parts, is_first: true, is_interrupted: false, document };
        let client = sender.parts.clone();
        let exported = tokio::select! {
            exported = timeout(DEADLINE, records.export(&by, &filter, &mut sender)) => exported,
            () = client.closed() => return,
        };
        let end = match exported {
            Ok(Ok(())) if sender.is_interrupted => return,
            Ok(Ok(())) => Part::End,
            Ok(Err(error)) => Part::Failed(error),
            Err(_) => Part::Failed(StoreError::unavailable("the client receives the export too slowly")),
        };
        let _ = sender.send(end).await;
    });
    let first = match received.recv().await {
        Some(Part::Text(text)) => text,
        Some(Part::Failed(error)) => return Err(error),
        Some(Part::End) | None => return Err(StoreError::failed("the export ended before its first records")),
    };
    let rest = stream::unfold(Some(received), async |received| {
        let mut received = received?;
        match received.recv().await {
            Some(Part::Text(text)) => Some((Ok(text), Some(received))),
            Some(Part::End) => None,
            Some(Part::Failed(error)) => {
                tracing::warn!(cause = %error, "an export was interrupted");
                Some((Err(io::Error::other(error)), None))
            }
            None => Some((Err(io::Error::other("the export was interrupted")), None)),
        }
    });
    Ok(Body::from_bytes_stream(stream::once(async { Ok(first) }).chain(rest)))
}

/// A file of exported records. A body that ends without its last chunk is incomplete.
#[derive(ApiResponse)]
pub enum Export<T: Payload + IntoResponse> {
    /// All records that match, in order of id. An incomplete response ends with an error of the connection, except in HTTP/1.0.
    #[oai(status = 200)]
    File(
        T,
        /// `attachment`, with the name of the file.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

impl<T: ExportFile> Export<T> {
    /// Starts an export, and holds the turn of its user until it has ended.
    pub async fn start<R, D>(
        records: &Records<R>,
        by: R::Read,
        filter: R::Filter,
        format: Format,
        turn: Box<dyn Send>,
    ) -> Result<Self, StoreError>
    where
        R: Resource,
        D: InCollection + Serialize + From<Record<R>> + 'static,
    {
        let disposition = format!("attachment; filename=\"{}.{}\"", D::COLLECTION, T::EXTENSION);
        Ok(Self::File(body::<R, D>(records, by, filter, format, turn).await?.into(), disposition))
    }
}

/// The body of an export.
pub trait ExportFile: Payload + IntoResponse + From<Body> {
    const EXTENSION: &'static str;
}

/// Defines the body of an export in a format.
macro_rules! export_file {
    ($(#[doc = $doc:literal])+ $name:ident, $media_type:literal, $content_type:literal, $extension:literal) => {
        $(#[doc = $doc])+
        pub struct $name(Body);

        impl From<Body> for $name {
            fn from(body: Body) -> Self {
                Self(body)
            }
        }

        impl Described for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema(_registry: &mut Registry) -> Value {
                json!({ "type": "string", "description": description(&[$($doc),+]) })
            }
        }

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn schema_ref() -> MetaSchemaRef {
                <Self as Described>::schema_ref()
            }

            fn register(registry: &mut Registry) {
                <Self as Described>::register(registry);
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let mut response = self.0.into_response();
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static($content_type));
                response
            }
        }

        impl ExportFile for $name {
            const EXTENSION: &'static str = $extension;
        }
    };
}

export_file! {
    /// Comma-separated values (RFC 4180) in UTF-8, with a header of the fields' names. An empty cell is null.
    CsvFile, "text/csv", "text/csv; charset=utf-8; header=present", "csv"
}
export_file! {
    /// One JSON document per line, in UTF-8.
    NdjsonFile, "application/x-ndjson", "application/x-ndjson", "ndjson"
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// A visitor whose channel holds one part.
    fn sender() -> (Sender<Value>, mpsc::Receiver<Part>) {
        let (parts, received) = mpsc::channel(1);
        let document = PhantomData;
        (Sender { format: Format::Ndjson, parts, is_first: true, is_interrupted: false, document }, received)
    }

    #[tokio::test(start_paused = true)]
    async fn export_ends_when_its_client_stops_reading() {
        let (mut sender, _received) = sender();
        assert!(sender.send(Part::End).await.is_continue());
        let started = Instant::now();
        assert!(sender.send(Part::End).await.is_break() && sender.is_interrupted);
        assert_eq!(started.elapsed(), PROGRESS);
    }

    #[tokio::test(start_paused = true)]
    async fn export_ends_when_its_client_is_gone() {
        let (mut sender, received) = sender();
        drop(received);
        assert!(sender.send(Part::End).await.is_break() && sender.is_interrupted);
    }
}
