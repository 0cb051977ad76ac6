//! Request bodies. Parsing collects all field errors; the documentation derives from the content type.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use poem::error::ReadBodyError;
use poem::http::{HeaderValue, header};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::{Fields, Invalid, strict_json};
use crate::http::problem::{FieldError, Problem, ProblemType};
use crate::http::wire::Described;

/// Maximum time to receive a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The media type of JSON Merge Patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// Description of request bodies with any media type.
pub const ANY_MEDIA_TYPE: &str = "JSON; the Content-Type header is ignored.";

/// Rules for a request body, and the problem types of violations.
#[derive(Debug, Clone, Copy)]
pub struct BodyRules {
    /// Accepted media types. If empty, the Content-Type header is ignored.
    pub media_types: &'static [&'static str],
    pub max_bytes: usize,
    /// Whether unknown fields are ignored.
    pub ignores_unknown: bool,
    /// Problem type if the body is not JSON.
    pub malformed: ProblemType,
    /// Problem type if fields are invalid.
    pub invalid: ProblemType,
}

impl BodyRules {
    pub const JSON: Self = Self {
        media_types: &["application/json"],
        max_bytes: 1 << 20,
        ignores_unknown: false,
        malformed: ProblemType::MalformedBody,
        invalid: ProblemType::InvalidFields,
    };
    /// JSON with a password or a token.
    pub const SMALL_JSON: Self = Self { max_bytes: 16 * 1024, ..Self::JSON };
    pub const MERGE_PATCH: Self = Self { media_types: &["application/json", MERGE_PATCH], ..Self::JSON };
    /// Student input of the articles' server.
    pub const LEGACY_STUDENT: Self = Self {
        media_types: &[],
        ignores_unknown: true,
        malformed: ProblemType::InvalidStudentData,
        invalid: ProblemType::InvalidStudentData,
        ..Self::JSON
    };
    /// Credentials of the articles' server.
    pub const LOGIN: Self = Self {
        media_types: &[],
        ignores_unknown: true,
        malformed: ProblemType::IncompleteCredentials,
        invalid: ProblemType::IncompleteCredentials,
        ..Self::SMALL_JSON
    };

    fn malformed(&self, error: &serde_json::Error) -> Problem {
        let problem = Problem::new(self.malformed);
        // Legacy clients compare the text.
        if self.malformed != ProblemType::MalformedBody {
            return problem;
        }
        problem.with_detail(format!("The request body is not valid JSON: {error}."))
    }

    fn invalid(&self, errors: Vec<FieldError>) -> Problem {
        Problem::new(self.invalid).with_errors(errors)
    }
}

/// Content of a request body: a documented object that is parsed into a value of the domain.
pub trait Content: Described {
    /// Value of the domain.
    type Parsed;
    /// Additional input of the rules, such as a policy.
    type Context;

    const RULES: BodyRules;

    /// Parses all fields.
    ///
    /// # Errors
    /// [`Invalid`] if a field is invalid. All other fields must be checked, too.
    fn parse(fields: &mut Fields, context: &Self::Context) -> Result<Self::Parsed, Invalid>;
}

/// A request body with content `T`. It is not read before [`Body::read`], so callers without permission cannot upload data.
pub struct Body<T> {
    content_type: Option<HeaderValue>,
    content_encoding: Option<HeaderValue>,
    length: Option<u64>,
    unread: poem::Body,
    content: PhantomData<fn() -> T>,
}

impl<T: Content<Context = ()>> Body<T> {
    /// Reads the body and parses all fields.
    ///
    /// # Errors
    /// 408, 413, 415, and the problems of [`Content::RULES`].
    pub async fn read(self) -> Result<T::Parsed, Problem> {
        self.read_with(&()).await
    }
}

impl<T: Content> Body<T> {
    /// As [`Body::read`], for rules that need a context.
    ///
    /// # Errors
    /// 408, 413, 415, and the problems of [`Content::RULES`].
    pub async fn read_with(self, context: &T::Context) -> Result<T::Parsed, Problem> {
        self.check_encoding()?;
        self.check_media_type()?;
        let bytes = self.bytes().await?;
        // A byte order mark is ignored (RFC 8259, section 8.1).
        let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let value = strict_json::parse(json).map_err(|error| T::RULES.malformed(&error))?;
        let mut fields = Fields::of(value).map_err(|errors| T::RULES.invalid(errors))?;
        let parsed = T::parse(&mut fields, context);
        let errors = fields.errors(T::RULES.ignores_unknown);
        match parsed {
            Ok(parsed) if errors.is_empty() => Ok(parsed),
            _ => Err(T::RULES.invalid(errors)),
        }
    }

    async fn bytes(self) -> Result<Bytes, Problem> {
        let max = T::RULES.max_bytes;
        if self.length.is_some_and(|length| length > max as u64) {
            return Err(Problem::new(ProblemType::PayloadTooLarge));
        }
        match tokio::time::timeout(BODY_TIMEOUT, self.unread.into_bytes_limit(max)).await {
            Err(_) => Err(Problem::new(ProblemType::RequestTimeout)),
            Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Problem::new(ProblemType::PayloadTooLarge)),
            Ok(Err(error)) => Err(Problem::new(ProblemType::MalformedBody)
                .with_detail("The request body is incomplete.")
                .caused_by(error)),
            Ok(Ok(bytes)) => Ok(bytes),
        }
    }

    /// Content codings are not accepted (RFC 9110, section 8.4).
    fn check_encoding(&self) -> Result<(), Problem> {
        match &self.content_encoding {
            Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
                Err(Problem::new(ProblemType::UnsupportedMediaType)
                    .with_detail("The request body must not have a content coding.")
                    .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
            }
            _ => Ok(()),
        }
    }

    fn check_media_type(&self) -> Result<(), Problem> {
        let accepted = T::RULES.media_types;
        let content_type = self.content_type.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Parameters, with white space around them, are ignored (RFC 9110, section 5.6.6).
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if accepted.is_empty() || accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(media_type)) {
            return Ok(());
        }
        let accepted = accepted.join(", ");
        let problem = Problem::new(ProblemType::UnsupportedMediaType)
            .with_detail(format!("The media type of the request body must be {accepted}."));
        Err(match HeaderValue::try_from(accepted) {
            Ok(accepted) => problem.with_header(header::ACCEPT, accepted),
            Err(_) => problem,
        })
    }
}

impl<'a, T: Content> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        let description = T::RULES.media_types.is_empty().then_some(ANY_MEDIA_TYPE);
        Some(MetaRequest { description, content, required: true })
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
            unread: body.take()?,
            content: PhantomData,
        })
    }
}
