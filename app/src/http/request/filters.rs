//! The filters of lists: one list of fields makes the documentation and the parser.

use serde_json::Value;

use super::Query;

/// A query parameter of a list.
pub struct ParameterDoc {
    pub name: &'static str,
    pub description: String,
    pub schema: Value,
}

/// What a list can be filtered by.
pub trait Filters: Send {
    /// The names of the parameters.
    const NAMES: &'static [&'static str];

    fn parameters() -> Vec<ParameterDoc>;

    /// Takes every filter out of a query, which collects the errors.
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

/// Implements [`Filters`] for a filter of the domain whose fields are all options.
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
