//! Arguments of operations: authorization, bodies and list queries.

mod body;
mod by;
mod change_query;
mod detached;
mod export_query;
mod fields;
mod filters;
mod page_query;
mod query;
mod strict_json;

pub use body::{ANY_MEDIA_TYPE, Body, BodyRules, Content};
pub use by::{By, Public, SCHEME, Unmetered};
pub use change_query::ChangeQuery;
pub use detached::detached;
pub use export_query::ExportQuery;
pub use fields::{Fields, Invalid};
pub use filters::Filters;
pub(crate) use filters::filters;
pub use page_query::PageQuery;
pub use query::{FromQuery, PARAMETERS, ParameterDoc, Query, QueryParameters};
