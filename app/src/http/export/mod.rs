//! Exports: all records of a list as one stream, in a format for files.

mod format;
mod spool;

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
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::response::InCollection;
use super::wire::{Described, description};

pub use format::Format;

use spool::Spool;

/// Maximum time until the client of a written export has received another batch of records, about 150 KB. An export holds a turn and
/// a temporary file.
const PROGRESS: Duration = Duration::from_secs(30);
/// Maximum duration of an export.
const DEADLINE: Duration = Duration::from_mins(30);

/// What was exported. Without [`Part::End`], the export was interrupted.
enum Part {
    /// Text of this length in the spool.
    Text(usize),
    Failed(StoreError),
    End,
}

/// Writes the records of an export to the spool, so that a slow client holds no state of the store.
struct Writer<D> {
    format: Format,
    spool: Spool,
    parts: mpsc::UnboundedSender<Part>,
    is_first: bool,
    is_interrupted: bool,
    document: PhantomData<fn() -> D>,
}

#[async_trait]
impl<R: Resource, D: Described + Serialize + From<Record<R>>> Visitor<R> for Writer<D> {
    async fn visit(&mut self, records: Vec<Record<R>>) -> ControlFlow<()> {
        let is_first = mem::take(&mut self.is_first);
        let written = async {
            let text = self.format.write(records.into_iter().map(D::from), is_first)?;
            let length = text.len();
            self.spool.append(text).await?;
            io::Result::Ok(length)
        };
        let part = match written.await {
            Ok(length) => Part::Text(length),
            Err(error) => {
                self.is_interrupted = true;
                Part::Failed(StoreError::unavailable(error))
            }
        };
        // If the client is gone, nothing receives the part.
        self.is_interrupted |= self.parts.send(part).is_err();
        if self.is_interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What a client receives of an export.
struct Reader {
    spool: Spool,
    parts: mpsc::UnboundedReceiver<Part>,
    position: watch::Sender<u64>,
}

impl Reader {
    /// The next text; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.parts.recv().await {
            Some(Part::Text(length)) => {
                let position = *self.position.borrow();
                let text = self.spool.read(position, length).await.map_err(StoreError::unavailable)?;
                self.position.send_replace(position + length as u64);
                Ok(Some(text))
            }
            Some(Part::End) => {
                self.spool.close().await;
                Ok(None)
            }
            Some(Part::Failed(error)) => Err(error),
            None => Err(StoreError::failed("the export was interrupted")),
        }
    }
}

/// Writes an export, and keeps it until its client has received it, or nothing for [`PROGRESS`].
async fn write<R, D>(
    records: &Records<R>,
    by: R::Read,
    filter: R::Filter,
    mut writer: Writer<D>,
    positions: watch::Receiver<u64>,
) where
    R: Resource,
    D: Described + Serialize + From<Record<R>> + 'static,
{
    let client = writer.parts.clone();
    let exported = tokio::select! {
        exported = records.export(&by, &filter, &mut writer) => exported,
        () = client.closed() => return,
    };
    let _ = match exported {
        Ok(()) if writer.is_interrupted => return,
        Ok(()) => client.send(Part::End),
        Err(error) => client.send(Part::Failed(error)),
    };
    received(positions).await;
}

/// Waits until the client has received everything, or nothing for [`PROGRESS`].
async fn received(mut position: watch::Receiver<u64>) {
    while let Ok(Ok(())) = timeout(PROGRESS, position.changed()).await {}
}

/// Starts an export, and returns its body once the first records are there. The turn ends with the body.
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
    let (parts, received) = mpsc::unbounded_channel();
    let (position, positions) = watch::channel(0);
    let (records, spool) = (records.clone(), Spool::new(turn));
    let mut reader = Reader { spool: spool.clone(), parts: received, position };
    let document = PhantomData::<fn() -> D>;
    let writer = Writer { format, spool: spool.clone(), parts, is_first: true, is_interrupted: false, document };
    tokio::spawn(async move {
        let _ = timeout(DEADLINE, write(&records, by, filter, writer, positions)).await;
        spool.close().await;
    });
    let first = reader.next().await?.ok_or_else(|| StoreError::failed("the export ended before its first records"))?;
    let rest = stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        match reader.next().await {
            Ok(text) => Some((Ok(text?), Some(reader))),
            Err(error) => {
                tracing::warn!(cause = %error, "an export was interrupted");
                Some((Err(io::Error::other(error)), None))
            }
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
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn export_ends_when_its_client_receives_nothing() {
        let (position, positions) = watch::channel(0);
        let started = Instant::now();
        let received = tokio::spawn(received(positions));
        sleep(PROGRESS / 2).await;
        position.send_replace(1);
        received.await.unwrap();
        assert_eq!(started.elapsed(), PROGRESS / 2 + PROGRESS);
    }

    #[tokio::test(start_paused = true)]
    async fn export_ends_when_its_client_is_gone() {
        let (position, positions) = watch::channel(0);
        let started = Instant::now();
        drop(position);
        received(positions).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
