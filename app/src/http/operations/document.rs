//! `GET /openapi.yaml`, `/openapi.json` and `/openapi-3.1.yaml`: the API document.

use std::borrow::Cow;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use poem::error::InternalServerError;
use poem::http::{HeaderValue, header};
use poem::{IntoResponse, Request, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::{Value, json};

use super::Tag;
use crate::http::document;
use crate::http::edge::PathPrefix;
use crate::http::encoding::{Coding, Encoded};
use crate::http::request::Public;
use crate::http::wire::Described;

/// Schema of a JSON document: an object.
struct AsJson;
/// Schema of a YAML document: text.
struct AsYaml;

impl Described for AsJson {
    fn name() -> Cow<'static, str> {
        "OpenApiDocument".into()
    }

    fn schema(_registry: &mut Registry) -> Value {
        json!({ "type": "object", "description": "An OpenAPI document.", "additionalProperties": true })
    }
}

impl Described for AsYaml {
    fn name() -> Cow<'static, str> {
        "OpenApiText".into()
    }

    fn schema(_registry: &mut Registry) -> Value {
        json!({ "type": "string", "description": "An OpenAPI document as YAML." })
    }
}

/// A rendition whose server is at a path prefix; the last one is kept.
struct AtPrefix(Mutex<Option<(PathPrefix, Arc<Encoded>)>>);

impl AtPrefix {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn encoded(&self, rendition: &str, prefix: &PathPrefix) -> io::Result<Arc<Encoded>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, encoded)) if known == prefix => Ok(Arc::clone(encoded)),
            _ => {
                let encoded = Arc::new(Encoded::new(document::at_prefix(rendition, prefix.as_str()).into())?);
                *last = Some((prefix.clone(), Arc::clone(&encoded)));
                Ok(encoded)
            }
        }
    }
}

/// Defines a rendition of the document. It is rendered and compressed once, at the first request, within milliseconds.
macro_rules! rendition {
    ($name:ident, $media_type:literal, $schema:ty, $written:path) => {
        struct $name(Bytes);

        impl $name {
            fn negotiate(request: &Request) -> poem::Result<Rendition<Self>> {
                static AT_ROOT: LazyLock<io::Result<Encoded>> =
                    LazyLock::new(|| Encoded::new(Bytes::from_static($written().as_bytes())));
                static AT_PREFIX: AtPrefix = AtPrefix::new();
                let coding = Coding::negotiate(request.headers());
                let bytes = match request.data::<PathPrefix>() {
                    None => AT_ROOT.as_ref().map_err(InternalServerError)?.bytes(coding),
                    Some(prefix) => AT_PREFIX.encoded($written(), prefix).and_then(|encoded| encoded.bytes(coding)),
                };
                let bytes = bytes.map_err(InternalServerError)?;
                Ok(Rendition::Document(Self(bytes), coding.name().map(str::to_owned)))
            }
        }

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn schema_ref() -> MetaSchemaRef {
                <$schema as Described>::schema_ref()
            }

            fn register(registry: &mut Registry) {
                <$schema as Described>::register(registry);
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let mut response = Response::from(self.0);
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static($media_type));
                headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
                response
            }
        }
    };
}

rendition!(Json, "application/json", AsJson, document::json);
rendition!(Yaml, "application/yaml", AsYaml, document::yaml);
rendition!(Yaml31, "application/yaml", AsYaml, document::yaml_3_1);

/// Response with a rendition of the document.
#[derive(ApiResponse)]
enum Rendition<T: Payload + IntoResponse> {
    /// Contains the document.
    #[oai(status = 200)]
    Document(
        T,
        /// Content coding of the response. Absent if it is not compressed.
        #[oai(header = "Content-Encoding")]
        Option<String>,
    ),
}

pub struct DocumentApi;

#[expect(clippy::unused_async, reason = "poem-openapi requires async operations")]
#[OpenApi(tag = "Tag::Service")]
impl DocumentApi {
    /// Get this document as JSON
    ///
    /// Returns the OpenAPI document of the running service.
    #[oai(path = "/openapi.json", method = "get", operation_id = "getOpenApiJson")]
    async fn json(&self, _public: Public, request: &Request) -> poem::Result<Rendition<Json>> {
        Json::negotiate(request)
    }

    /// Get this document as YAML
    ///
    /// Returns the OpenAPI document of the running service.
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "getOpenApiYaml")]
    async fn yaml(&self, _public: Public, request: &Request) -> poem::Result<Rendition<Yaml>> {
        Yaml::negotiate(request)
    }

    /// Get this document as OpenAPI 3.1
    ///
    /// Returns this document as YAML, converted to OpenAPI 3.1. Its schemas are JSON Schema 2020-12.
    #[oai(path = "/openapi-3.1.yaml", method = "get", operation_id = "getOpenApi31Yaml")]
    async fn yaml_3_1(&self, _public: Public, request: &Request) -> poem::Result<Rendition<Yaml31>> {
        Yaml31::negotiate(request)
    }
}
