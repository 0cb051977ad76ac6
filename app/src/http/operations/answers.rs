//! What operations answer that list, make, show, change and remove records.

use poem::http::HeaderMap;
use poem_openapi::ApiResponse;
use poem_openapi::types::Type;
use serde::Serialize;

use crate::http::conditional::{EntityTag, Tagged, none_match_fails};
use crate::http::json_answer::JsonAnswer;

/// A page, and the way to the next one.
#[derive(ApiResponse)]
pub enum PageAnswer<D: Type + Serialize> {
    /// A piece of the list, in order of id.
    #[oai(status = 200)]
    Page(
        JsonAnswer<D>,
        /// The next page, as `rel="next"` (RFC 8288); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// A new record.
#[derive(ApiResponse)]
pub enum CreateAnswer<D: Type + Serialize> {
    /// The record is kept.
    #[oai(status = 201)]
    Created(
        JsonAnswer<D>,
        /// Where the record is found from now on.
        #[oai(header = "Location")]
        String,
        /// The record's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Type + Serialize> CreateAnswer<D> {
    pub fn new<R: Tagged + Into<D>>(record: R, location: String) -> Self {
        let tag = EntityTag::of(&record).to_string();
        Self::Created(JsonAnswer(record.into()), location, tag)
    }
}

/// A record, unless the client has it already.
#[derive(ApiResponse)]
pub enum FindAnswer<D: Type + Serialize> {
    /// The record.
    #[oai(status = 200)]
    Found(
        JsonAnswer<D>,
        /// The record's version, for `If-Match` and `If-None-Match`.
        #[oai(header = "ETag")]
        String,
    ),
    /// The record is as `If-None-Match` knows it.
    #[oai(status = 304)]
    NotModified(
        /// The record's version.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Type + Serialize> FindAnswer<D> {
    pub fn new<R: Tagged + Into<D>>(record: R, headers: &HeaderMap) -> Self {
        let tag = EntityTag::of(&record).to_string();
        if none_match_fails(headers, &record) {
            return Self::NotModified(tag);
        }
        Self::Found(JsonAnswer(record.into()), tag)
    }
}

/// A changed record.
#[derive(ApiResponse)]
pub enum ChangeAnswer<D: Type + Serialize> {
    /// The record as it is now.
    #[oai(status = 200)]
    Changed(
        JsonAnswer<D>,
        /// The record's new version.
        #[oai(header = "ETag")]
        String,
    ),
}

impl<D: Type + Serialize, R: Tagged + Into<D>> From<R> for ChangeAnswer<D> {
    fn from(record: R) -> Self {
        let tag = EntityTag::of(&record).to_string();
        Self::Changed(JsonAnswer(record.into()), tag)
    }
}

/// Nothing more to say.
#[derive(ApiResponse)]
pub enum RemoveAnswer {
    /// The record is gone for good.
    #[oai(status = 204)]
    Removed,
}
