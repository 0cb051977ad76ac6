//! Response types of operations: JSON, pages and records.

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

use super::conditional::{EntityTag, ReadCondition};
use super::request::PageQuery;
use super::wire::{Described, Property, object_schema, response_schema};

/// JSON response body, serialized directly without an intermediate `Value`.
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

/// Documented as a 200 response with the schema of its content.
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

/// A response that contains a secret and must not be cached. The content provides its description.
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

/// An entry of a collection, at `/COLLECTION` and `/COLLECTION/{id}`.
pub trait InCollection: Described {
    /// Path segment of the collection and JSON key of a page's entries.
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
            Property::new("next", "Cursor of the next page, for `after`. Null on the last page.", next),
        ];
        let mut schema = object_schema("One page of a list.", properties, false);
        schema["required"] = json!([D::COLLECTION, "next"]);
        schema["example"] = json!({ D::COLLECTION: [D::schema(registry)["example"]], "next": "000000000000001a" });
        schema
    }
}

impl<D: InCollection + Serialize> Serialize for PageDocument<D> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(D::COLLECTION, &self.entries)?;
        map.serialize_entry("next", &self.next.as_ref().map(ToString::to_string))?;
        map.end()
    }
}

/// A page and the link to the next page.
#[derive(ApiResponse)]
pub enum PageResponse<D: InCollection + Serialize + Send> {
    /// One page of the list.
    #[oai(status = 200)]
    Page(
        Json<PageDocument<D>>,
        /// Link to the next page with `rel="next"` (RFC 8288). Absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

impl<D: InCollection + Serialize + Send> PageResponse<D> {
    pub fn new<F, T: Listed + Into<D>>(page: Page<T>, query: &PageQuery<F>) -> Self {
        Self::with(page, query, Into::into)
    }

    /// As [`PageResponse::new`], with a custom conversion of the entries.
    pub fn with<F, T: Listed>(page: Page<T>, query: &PageQuery<F>, document: impl Fn(T) -> D) -> Self {
        let link = page.next.as_ref().map(|next| query.link_to(next));
        let entries = page.entries.into_iter().map(document).collect();
        Self::Page(Json(PageDocument { entries, next: page.next }), link)
    }
}

/// Response to the creation of a record.
#[derive(ApiResponse)]
pub enum Created<D: InCollection + Serialize + Send> {
    /// The record was created.
    #[oai(status = 201)]
    Created(
        Json<D>,
        /// Path of the new record.
        #[oai(header = "Location")]
        String,
        /// Entity tag of the record's current version, for `If-Match` and `If-None-Match`.
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

/// A record, or 304 if the client has its current version.
#[derive(ApiResponse)]
pub enum Found<D: Described + Serialize + Send> {
    /// The record exists. Contains its current version.
    #[oai(status = 200)]
    Found(
        Json<D>,
        /// Entity tag of the record's current version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// The record has not changed: `If-None-Match` matches its current version.
    #[oai(status = 304)]
    NotModified(
        /// Entity tag of the record's current version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Described + Serialize + Send> Found<D> {
    pub fn new<R: Resource>(record: Record<R>, condition: &ReadCondition) -> Self
    where
        D: From<Record<R>>,
    {
        let tag = EntityTag::of(&record).to_string();
        if condition.is_cached(&record) {
            return Self::NotModified(tag);
        }
        Self::Found(Json(record.into()), tag)
    }
}

/// Response to the change of a record.
#[derive(ApiResponse)]
pub enum Updated<D: Described + Serialize + Send> {
    /// The record was changed. Contains its current version.
    #[oai(status = 200)]
    Updated(
        Json<D>,
        /// Entity tag of the record's current version, for `If-Match` and `If-None-Match`.
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

/// Response to the deletion of a record.
#[derive(ApiResponse)]
pub enum Deleted {
    /// The record was deleted permanently.
    #[oai(status = 204)]
    Deleted,
}
