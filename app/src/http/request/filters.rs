//! Filters of lists: parser and documentation derive from one list of fields.

use serde_json::Value;

use super::Query;

/// Documentation of a query parameter.
pub struct ParameterDoc {
    pub name: &'static str,
    pub description: String,
    pub schema: Value,
}

/// Filters of a list.
pub trait Filters: domain::Filter {
    /// Names of the parameters.
    const NAMES: &'static [&'static str];

    fn parameters() -> Vec<ParameterDoc>;

    /// Takes all filters from a query, which collects the errors.
    fn take(query: &mut Query<'_>) -> Self;
}

/// A list without filters.
impl Filters for () {
    const NAMES: &'static [&'static str] = &[];

    fn parameters() -> Vec<ParameterDoc> {
        Vec::new()
    }

    fn take(_query: &mut Query<'_>) -> Self {}
}

/// Implements [`Filters`] for a filter of the domain in which every field is an `Option`.
macro_rules! filters {
    ($filter:ident { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty,)+ }) => {
        impl $crate::http::request::Filters for $filter {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn parameters() -> Vec<$crate::http::request::ParameterDoc> {
                vec![$($crate::http::request::ParameterDoc {
                    name: stringify!($field),
                    description: $crate::http::wire::description(&[$($doc),+]),
                    schema: <$kind as $crate::http::wire::WireValue>::schema(),
                },)+]
            }

            fn take(query: &mut $crate::http::request::Query<'_>) -> Self {
                Self { $($field: query.take::<$kind>(stringify!($field)),)+ }
            }
        }
    };
}
pub(crate) use filters;
