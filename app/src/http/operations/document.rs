//! `GET /openapi.yaml`, `/openapi.json` and `/openapi-3.1.yaml`: the API document.

use std::io;
use std::sync::LazyLock;

use bytes::Bytes;
use poem::error::InternalServerError;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiResponse, OpenApi};

use super::Tag;
use crate::http::document;
use crate::http::encoding::{Coding, Encoded};

/// The document in one of its forms, written and compressed when somebody first asks for it: some milliseconds, once.
macro_rules! rendition {
    ($name:ident, $media_type:literal, $version:literal, $written:path) => {
        struct $name(Bytes);

        impl $name {
            /// The bytes as the client wants them coded, with the name of the coding where there is one.
            fn wanted(request: &HeaderMap) -> poem::Result<(Self, Option<String>)> {
                static RENDITION: LazyLock<io::Result<Encoded>> =
                    LazyLock::new(|| Encoded::new(Bytes::from_static($written().as_bytes())));
                coded(&RENDITION, request).map(|(bytes, coding)| (Self(bytes), coding))
            }
        }

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn schema_ref() -> MetaSchemaRef {
                whole($version)
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let mut answer = Response::from(self.0);
                let headers = answer.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static($media_type));
                headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
                answer
            }
        }
    };
}

rendition!(Json, "application/json", "3.0.3", document::json);
rendition!(Yaml, "application/yaml", "3.0.3", document::yaml);
rendition!(Yaml31, "application/yaml", "3.1.0", document::yaml_3_1);

/// The bytes of `rendition` as the client wants them coded, with the name of the coding where there is one.
fn coded(rendition: &'static io::Result<Encoded>, request: &HeaderMap) -> poem::Result<(Bytes, Option<String>)> {
    let coding = Coding::wanted(request);
    let rendition = rendition.as_ref().map_err(InternalServerError)?;
    let bytes = rendition.bytes(coding).map_err(InternalServerError)?;
    Ok((bytes, coding.name().map(str::to_owned)))
}

/// What every such document has.
fn whole(version: &'static str) -> MetaSchemaRef {
    let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
    let object = || inline(MetaSchema::new("object"));
    let version = MetaSchema { enum_items: vec![version.into()], ..MetaSchema::new("string") };
    inline(MetaSchema {
        properties: vec![
            ("openapi", inline(version)),
            ("info", object()),
            ("paths", object()),
            ("components", object()),
        ],
        required: vec!["openapi", "info", "paths", "components"],
        ..MetaSchema::new("object")
    })
}

#[derive(ApiResponse)]
enum JsonRendition {
    /// The document as JSON.
    #[oai(status = 200)]
    Document(
        Json,
        /// How the bytes are coded, where the client accepts it.
        #[oai(header = "Content-Encoding")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum YamlRendition {
    /// The document as YAML (RFC 9512).
    #[oai(status = 200)]
    Document(
        Yaml,
        /// How the bytes are coded, where the client accepts it.
        #[oai(header = "Content-Encoding")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum Yaml31Rendition {
    /// The document as YAML (RFC 9512).
    #[oai(status = 200)]
    Document(
        Yaml31,
        /// How the bytes are coded, where the client accepts it.
        #[oai(header = "Content-Encoding")]
        Option<String>,
    ),
}

pub struct DocumentApi;

#[expect(clippy::unused_async, reason = "poem-openapi takes async operations alone")]
#[OpenApi(tag = "Tag::Service")]
impl DocumentApi {
    /// Get this document as JSON
    ///
    /// The OpenAPI document of the running service.
    #[oai(path = "/openapi.json", method = "get", operation_id = "getOpenApiJson")]
    async fn json(&self, request: &HeaderMap) -> poem::Result<JsonRendition> {
        Json::wanted(request).map(|(bytes, coding)| JsonRendition::Document(bytes, coding))
    }

    /// Get this document as YAML
    ///
    /// The OpenAPI document of the running service.
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "getOpenApiYaml")]
    async fn yaml(&self, request: &HeaderMap) -> poem::Result<YamlRendition> {
        Yaml::wanted(request).map(|(bytes, coding)| YamlRendition::Document(bytes, coding))
    }

    /// Get this document as OpenAPI 3.1
    ///
    /// The same statements in OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as YAML.
    #[oai(path = "/openapi-3.1.yaml", method = "get", operation_id = "getOpenApi31Yaml")]
    async fn yaml_3_1(&self, request: &HeaderMap) -> poem::Result<Yaml31Rendition> {
        Yaml31::wanted(request).map(|(bytes, coding)| Yaml31Rendition::Document(bytes, coding))
    }
}
