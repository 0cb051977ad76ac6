//! `GET /openapi.yaml`, `/openapi.json` and `/openapi-3.1.yaml`: the API document.

use poem::http::{HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiResponse, OpenApi};

use super::Tag;
use crate::http::document;

/// The document in one of its forms.
macro_rules! rendition {
    ($name:ident, $media_type:literal, $version:literal) => {
        struct $name(&'static str);

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn schema_ref() -> MetaSchemaRef {
                whole($version)
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

rendition!(Json, "application/json", "3.0.3");
rendition!(Yaml, "application/yaml", "3.0.3");
rendition!(Yaml31, "application/yaml", "3.1.0");

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
    Document(Json),
}

#[derive(ApiResponse)]
enum YamlRendition {
    /// The document as YAML (RFC 9512).
    #[oai(status = 200)]
    Document(Yaml),
}

#[derive(ApiResponse)]
enum Yaml31Rendition {
    /// The document as YAML (RFC 9512).
    #[oai(status = 200)]
    Document(Yaml31),
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
        JsonRendition::Document(Json(document::json()))
    }

    /// Get this document as YAML
    ///
    /// The OpenAPI document of the running service.
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "getOpenApiYaml")]
    async fn yaml(&self) -> YamlRendition {
        YamlRendition::Document(Yaml(document::yaml()))
    }

    /// Get this document as OpenAPI 3.1
    ///
    /// The same statements in OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as YAML.
    #[oai(path = "/openapi-3.1.yaml", method = "get", operation_id = "getOpenApi31Yaml")]
    async fn yaml_3_1(&self) -> Yaml31Rendition {
        Yaml31Rendition::Document(Yaml31(document::yaml_3_1()))
    }
}
