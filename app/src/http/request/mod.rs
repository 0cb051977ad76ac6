//! Arguments of operations: authorization, bodies and list queries.

mod body;
mod by;
mod detached;
mod fields;
mod filters;
mod page_query;
mod strict_json;

pub use body::{ANY_MEDIA_TYPE, Body, BodyRules, Content};
pub use by::{By, Public, SCHEME, Unmetered};
pub use detached::detached;
pub use fields::{Fields, Invalid};
pub(crate) use filters::filters;
pub use filters::{Filters, ParameterDoc};
pub use page_query::{ExportQuery, PARAMETERS, PageQuery, Query};
