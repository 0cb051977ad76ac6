//! Filters of lists: parser and documentation derive from one list of fields.

use super::{ParameterDoc, Query};

/// Filters of a list.
pub trait Filters: domain::Filter {
    /// Names of the parameters.
    const NAMES: &'static [&'static str];

    fn parameters() -> Vec<ParameterDoc>;

    /// Takes all filters from a query, which collects the errors.
    fn take(query: &mut Query) -> Self;
}

/// A list without filters.
impl Filters for () {
    const NAMES: &'static [&'static str] = &[];

    fn parameters() -> Vec<ParameterDoc> {
        Vec::new()
    }

    fn take(_query: &mut Query) -> Self {}
}

/// Implements [`Filters`] for a filter of the domain in which every field is an `Option`.
macro_rules! filters {
    ($filter:ident { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty,)+ }) => {
        impl $crate::http::request::Filters for $filter {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn parameters() -> Vec<$crate::http::request::ParameterDoc> {
                vec![$($crate::http::request::ParameterDoc::optional(
                    stringify!($field),
                    &$crate::http::wire::description(&[$($doc),+]),
                    <$kind as $crate::http::wire::WireValue>::schema(),
                ),)+]
            }

            fn take(query: &mut $crate::http::request::Query) -> Self {
                Self { $($field: query.take::<$kind>(stringify!($field)),)+ }
            }
        }
    };
}
pub(crate) use filters;
