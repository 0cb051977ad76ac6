//! Wire format: parsers, writers and schemas of domain values, with the rules of the domain types.

mod field;
pub(crate) mod object;
mod parameter;
mod schema;
pub(crate) mod value;
mod values;

pub use field::{List, Nested, Omittable, Presence, ResponseField, WireField};
pub use object::{Property, description, object_schema};
pub(crate) use object::{input, patch, record, response, wire};
pub use parameter::Wire;
pub use schema::{Described, carried, enumeration, unpack};
pub use value::{WireValue, response_schema};
pub(crate) use value::{closed_enum, enum_value, integer_value, text_value};
pub use values::{Int, Text};
