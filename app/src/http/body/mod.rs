//! The one payload type of request bodies: it documents what a body holds, and reports every fault at once.

mod fields;
mod strict_json;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::user::PasswordPolicy;
use poem::error::ReadBodyError;
use poem::http::{HeaderValue, header};
use poem::{Body, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

pub use fields::{AtFault, Fields, integer, text};

use super::Services;
use super::problem::{Fault, Kind, Problem};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a request body can hold: the documented type, and how it becomes the domain's.
pub trait Content: Type {
    /// What the domain takes.
    type Parsed;

    /// The media types that are taken; none means that nobody looks at the header.
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];

    /// The most bytes a body may have.
    const MAX_BYTES: usize = 1 << 20;

    /// Whether fields that are not known are passed over.
    const IGNORES_UNKNOWN: bool = false;

    /// Takes all of the fields.
    ///
    /// # Errors
    /// [`AtFault`] where one is at fault; the others are judged all the same.
    fn parse(fields: &mut Fields) -> Result<Self::Parsed, AtFault>;

    /// The problem of a body that cannot be read as JSON.
    fn malformed(detail: String) -> Problem {
        Problem::new(Kind::MalformedBody).with_detail(detail)
    }

    /// The problem of fields that break rules.
    fn invalid(faults: Vec<Fault>) -> Problem {
        Problem::new(Kind::InvalidFields).with_faults(faults)
    }
}

/// A request body that holds a `T`. Nothing of it is read before [`JsonBody::read`]: a caller who may not do
/// the operation uploads nothing.
pub struct JsonBody<T> {
    content_type: Option<HeaderValue>,
    content_encoding: Option<HeaderValue>,
    length: Option<u64>,
    body: Body,
    password_policy: PasswordPolicy,
    content: PhantomData<fn() -> T>,
}

impl<T: Content> JsonBody<T> {
    /// Reads the body and everything in it.
    ///
    /// # Errors
    /// 408, 413, 415, and what `T` makes of a body that is no JSON or breaks rules (400 and 422, unless it
    /// says otherwise).
    pub async fn read(self) -> Result<T::Parsed, Problem> {
        let password_policy = self.password_policy;
        self.check_encoding()?;
        self.check_media_type()?;
        let bytes = self.bytes().await?;
        let value = strict_json::parse(&bytes)
            .map_err(|error| T::malformed(format!("The request body cannot be read as JSON: {error}.")))?;
        let mut fields = Fields::of(value, password_policy).map_err(T::invalid)?;
        let parsed = T::parse(&mut fields);
        let faults = fields.faults(T::IGNORES_UNKNOWN);
        match parsed {
            Ok(parsed) if faults.is_empty() => Ok(parsed),
            _ => Err(T::invalid(faults)),
        }
    }

    async fn bytes(self) -> Result<Bytes, Problem> {
        if self.length.is_some_and(|length| length > T::MAX_BYTES as u64) {
            return Err(Problem::new(Kind::PayloadTooLarge));
        }
        match tokio::time::timeout(PATIENCE, self.body.into_bytes_limit(T::MAX_BYTES)).await {
            Err(_) => Err(Problem::new(Kind::RequestTimeout)),
            Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Problem::new(Kind::PayloadTooLarge)),
            Ok(Err(error)) => Err(Problem::new(Kind::MalformedBody)
                .with_detail("The request body ended before it was complete.")
                .caused_by(error)),
            Ok(Ok(bytes)) => Ok(bytes),
        }
    }

    /// Bodies are taken as they are (RFC 9110, section 8.4).
    fn check_encoding(&self) -> Result<(), Problem> {
        match &self.content_encoding {
            Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
                Err(Problem::new(Kind::UnsupportedMediaType)
                    .with_detail("The request body must not be encoded.")
                    .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
            }
            _ => Ok(()),
        }
    }

    fn check_media_type(&self) -> Result<(), Problem> {
        let given = self.content_type.as_ref().and_then(|value| value.to_str().ok());
        let essence = given.and_then(|value| value.parse::<mime::Mime>().ok());
        let taken = |mime: mime::Mime| T::MEDIA_TYPES.contains(&mime.essence_str());
        if T::MEDIA_TYPES.is_empty() || essence.is_some_and(taken) {
            return Ok(());
        }
        let wanted = T::MEDIA_TYPES.join(", ");
        let problem =
            Problem::new(Kind::UnsupportedMediaType).with_detail(format!("The request body must be {wanted}."));
        Err(match HeaderValue::try_from(wanted) {
            Ok(wanted) => problem.with_header(header::ACCEPT, wanted),
            Err(_) => problem,
        })
    }
}

impl<'a, T: Content> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        Ok(Self {
            content_type: request.headers().get(header::CONTENT_TYPE).cloned(),
            content_encoding: request.headers().get(header::CONTENT_ENCODING).cloned(),
            length: length.and_then(|value| value.to_str().ok()?.parse().ok()),
            body: body.take()?,
            password_policy: request.data::<Arc<Services>>().map(|uses| uses.accounts.policy).unwrap_or_default(),
            content: PhantomData,
        })
    }
}
