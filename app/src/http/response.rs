//! What operations respond with: JSON, pages and records.

use std::borrow::Cow;

use domain::record::{Record, Resource};
use domain::{Cursor, Listed, Page};
use poem::http::{HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::{Value, json};

use super::conditional::{Conditions, EntityTag};
use super::request::PageQuery;
use super::wire::{Described, Property, object_schema, response_schema};

/// The body of a response, written without a detour through a tree of values.
pub struct Json<T>(pub T);

impl<T: Described + Send> Payload for Json<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Serialize + Send> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => {
                let mut response = Response::from(json);
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => poem::error::InternalServerError(error).into_response(),
        }
    }
}

/// A response of 200, described by its content.
impl<T: Described + Send> ApiResponse for Json<T> {
    fn meta() -> MetaResponses {
        let content = MetaMediaType { content_type: Self::CONTENT_TYPE, schema: T::schema_ref() };
        let response = MetaResponse {
            description: "",
            status: Some(200),
            status_range: None,
            content: vec![content],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A secret, described by its content, which no cache may keep.
#[derive(ApiResponse)]
pub enum Secret<D: Described + Serialize + Send> {
    #[oai(status = 200)]
    Secret(
        Json<D>,
        /// Always `no-store`.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

impl<D: Described + Serialize + Send> From<D> for Secret<D> {
    fn from(document: D) -> Self {
        Self::Secret(Json(document), "no-store".to_owned())
    }
}

/// What is found in a collection, under `/COLLECTION` and `/COLLECTION/{id}`.
pub trait InCollection: Described {
    /// The collection's path segment, and the key of a page's entries.
    const COLLECTION: &'static str;
}

/// One page of a collection.
pub struct PageDocument<D> {
    entries: Vec<D>,
    next: Option<Cursor>,
}

impl<D: InCollection> Described for PageDocument<D> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", D::name()).into()
    }

    fn schema(registry: &mut Registry) -> Value {
        D::register(registry);
        let entries = json!({ "type": "array", "maxItems": domain::PageSize::MAX, "items": D::reference() });
        let mut next = response_schema::<Cursor>();
        next["nullable"] = json!(true);
        let properties = vec![
            Property::new(D::COLLECTION, "The entries of this page.", entries),
            Property::new("next", "Cursor of the next page, for `after`; null on the last page.", next),
        ];
        let mut schema = object_schema("One page of a list, in order of id.", properties, false);
        schema["required"] = json!([D::COLLECTION, "next"]);
        schema["example"] = json!({ D::COLLECTION: [D::schema(registry)["example"]], "next": "000000000000001a" });
        schema
    }
}

impl<D: InCollection + Serialize> Serialize for PageDocument<D> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(D::COLLECTION, &self.entries)?;
        map.serialize_entry("next", &self.next.map(|next| next.to_string()))?;
        map.end()
    }
}

/// A page, and the link to the next one.
#[derive(ApiResponse)]
pub enum PageResponse<D: InCollection + Serialize + Send> {
    /// One page of the list, in order of id.
    #[oai(status = 200)]
    Page(
        Json<PageDocument<D>>,
        /// The next page, as `rel="next"` (RFC 8288); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

impl<D: InCollection + Serialize + Send> PageResponse<D> {
    pub fn new<F, T: Listed + Into<D>>(page: Page<T>, query: &PageQuery<F>) -> Self {
        Self::with(page, query, Into::into)
    }

    /// As [`PageResponse::new`], with entries whose document depends on more than the entry.
    pub fn with<F, T: Listed>(page: Page<T>, query: &PageQuery<F>, document: impl Fn(T) -> D) -> Self {
        let link = page.next.map(|next| query.link_to(next));
        let entries = page.entries.into_iter().map(document).collect();
        Self::Page(Json(PageDocument { entries, next: page.next }), link)
    }
}

/// A new record.
#[derive(ApiResponse)]
pub enum Created<D: InCollection + Serialize + Send> {
    /// The record was created.
    #[oai(status = 201)]
    Created(
        Json<D>,
        /// Path of the record.
        #[oai(header = "Location")]
        String,
        /// Entity tag of the record's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: InCollection + Serialize + Send, R: Resource> From<Record<R>> for Created<D>
where
    D: From<Record<R>>,
{
    fn from(record: Record<R>) -> Self {
        let tag = EntityTag::of(&record).to_string();
        let location = format!("/{}/{}", D::COLLECTION, record.id);
        Self::Created(Json(record.into()), location, tag)
    }
}

/// A record, unless the client has this version.
#[derive(ApiResponse)]
pub enum Found<D: Described + Serialize + Send> {
    /// The record.
    #[oai(status = 200)]
    Found(
        Json<D>,
        /// Entity tag of the record's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// Not modified: `If-None-Match` names the record's version.
    #[oai(status = 304)]
    NotModified(
        /// Entity tag of the record's version.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Described + Serialize + Send> Found<D> {
    pub fn new<R: Resource>(record: Record<R>, conditions: &Conditions) -> Self
    where
        D: From<Record<R>>,
    {
        let tag = EntityTag::of(&record).to_string();
        if conditions.match_cached(&record) {
            return Self::NotModified(tag);
        }
        Self::Found(Json(record.into()), tag)
    }
}

/// A changed record.
#[derive(ApiResponse)]
pub enum Updated<D: Described + Serialize + Send> {
    /// The record after the change.
    #[oai(status = 200)]
    Updated(
        Json<D>,
        /// Entity tag of the record's new version.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Described + Serialize + Send, R: Resource> From<Record<R>> for Updated<D>
where
    D: From<Record<R>>,
{
    fn from(record: Record<R>) -> Self {
        let tag = EntityTag::of(&record).to_string();
        Self::Updated(Json(record.into()), tag)
    }
}

/// Success without content.
#[derive(ApiResponse)]
pub enum Deleted {
    /// The record is deleted permanently.
    #[oai(status = 204)]
    Deleted,
}
