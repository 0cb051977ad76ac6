//! `GET /openapi.json` and `GET /openapi.yaml`: the API document.

use poem::http::{HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiResponse, OpenApi};

use super::Tag;
use crate::http::document;

/// The document in one of its two forms.
macro_rules! rendition {
    ($name:ident, $media_type:literal, $schema:literal) => {
        struct $name(&'static str);

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(MetaSchema::new($schema)))
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let mut answer = Response::from(self.0);
                answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static($media_type));
                answer
            }
        }
    };
}

rendition!(DocumentJson, "application/json", "object");
rendition!(DocumentYaml, "application/yaml", "string");

#[derive(ApiResponse)]
enum JsonRendition {
    /// The document as JSON.
    #[oai(status = 200)]
    Document(DocumentJson),
}

#[derive(ApiResponse)]
enum YamlRendition {
    /// The document as YAML (RFC 9512).
    #[oai(status = 200)]
    Document(DocumentYaml),
}

pub struct DocumentApi;

#[expect(clippy::unused_async, reason = "poem-openapi takes async operations alone")]
#[OpenApi(tag = "Tag::Service")]
impl DocumentApi {
    /// Get this document as JSON
    ///
    /// The OpenAPI document of the running service.
    #[oai(path = "/openapi.json", method = "get", operation_id = "getOpenApiJson")]
    async fn json(&self) -> JsonRendition {
        JsonRendition::Document(DocumentJson(document::json()))
    }

    /// Get this document as YAML
    ///
    /// The OpenAPI document of the running service.
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "getOpenApiYaml")]
    async fn yaml(&self) -> YamlRendition {
        YamlRendition::Document(DocumentYaml(document::yaml()))
    }
}
