//! Query of a list: page size, cursor, filters, and the link to the next page.

use std::fmt::Write;

use domain::{Cursor, Order, PageRequest, PageSize, Reach, SortKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Filters, ParameterDoc, Query, QueryParameters};
use crate::http::problem::Problem;
use crate::http::wire::WireValue;

pub const LIMIT: &str = "limit";
pub const AFTER: &str = "after";
const SORT: &str = "sort";

/// Requested page of a list, and its filters.
pub struct PageQuery<F> {
    pub filter: F,
    pub page: PageRequest,
    path: String,
    pairs: Vec<(String, String)>,
}

impl<F> PageQuery<F> {
    /// Value of the `Link` header (RFC 8288) for the next page: the same query with another cursor.
    pub fn link_to(&self, next: &Cursor) -> String {
        let mut link = format!("<{}?after={next}", self.path);
        for (name, value) in self.pairs.iter().filter(|(name, _)| name != AFTER) {
            let _ = write!(link, "&{name}={}", utf8_percent_encode(value, ESCAPED));
        }
        link + ">; rel=\"next\""
    }
}

/// Escaped characters in a query: all except the unreserved ones (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameter for the size of a page.
pub fn limit() -> ParameterDoc {
    ParameterDoc::with_default(LIMIT, "Maximum page size.", PageSize::schema(), PageSize::default().get())
}

/// Names of the orders of a list.
fn names(keys: &'static [SortKey]) -> Vec<String> {
    Order::all(keys).map(|order| order.to_string()).collect()
}

/// The order of the list, and the cursor of the page, which states the order too.
fn take_position(query: &mut Query, keys: &'static [SortKey]) -> (Order, Option<Cursor>) {
    let requested = query.text(SORT).filter(|_| !keys.is_empty()).map(|text| Order::parse(text, keys));
    if requested == Some(None) {
        query.reject(SORT, format!("must be one of {}", names(keys).join(", ")));
    }
    let after: Option<Cursor> = query.take(AFTER);
    let order = after.as_ref().map(|after| after.order(keys));
    match (requested.flatten(), order) {
        (requested, None) => (requested.unwrap_or_default(), after),
        (None, Some(Some(order))) => (order, after),
        (Some(requested), Some(Some(order))) if requested == order => (order, after),
        (_, Some(_)) => {
            query.reject(AFTER, "must be the cursor of a page in the same order");
            (Order::default(), None)
        }
    }
}

impl<F: Filters> QueryParameters for PageQuery<F> {
    fn documented() -> Vec<ParameterDoc> {
        let after = ParameterDoc::optional(AFTER, "Cursor from the previous page (`next`).", Cursor::schema());
        let sort = (!F::SORT_KEYS.is_empty()).then(|| {
            ParameterDoc::with_default(
                SORT,
                "Order of the list; descending with a leading `-`. Entries with equal values are ordered by id.",
                json!({ "type": "string", "enum": names(F::SORT_KEYS) }),
                Order::default().to_string(),
            )
        });
        // In this order, so that new filters do not change parameter positions in generated clients.
        [limit(), after].into_iter().chain(F::parameters()).chain(sort).collect()
    }

    fn parse(mut query: Query) -> Result<Self, Problem> {
        let sort = (!F::SORT_KEYS.is_empty()).then_some(SORT);
        query.check_names([LIMIT, AFTER].into_iter().chain(F::NAMES.iter().copied()).chain(sort));
        let size = query.take(LIMIT).unwrap_or_default();
        let (order, after) = take_position(&mut query, F::SORT_KEYS);
        let page = PageRequest { order, after, size };
        let filter = F::take(&mut query);
        if filter.reach() == Reach::Search && order != Order::default() {
            query.reject(SORT, "must be id in a search by name");
        }
        let (path, pairs) = query.finish()?;
        Ok(Self { filter, page, path, pairs })
    }
}

#[cfg(test)]
mod tests {
    use domain::student::StudentFilter;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<PageQuery<StudentFilter>, Problem> {
        let pairs = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        PageQuery::parse(Query::new("/students".to_owned(), pairs))
    }

    /// REQ 27.
    #[test]
    fn next_link_repeats_query_with_new_cursor() {
        let pairs = [("name", "å&b"), ("after", "0000000000000001"), ("limit", "50"), ("roll_no", "7")];
        let link = query(&pairs).ok().unwrap().link_to(&"000000000000001a".parse().unwrap());
        assert_eq!(link, "</students?after=000000000000001a&name=%C3%A5%26b&limit=50&roll_no=7>; rel=\"next\"");
    }

    #[test]
    fn every_invalid_parameter_is_reported() {
        let problem = query(&[("limit", "0"), ("limit", "1"), ("name", ""), ("x", "1"), ("after", "z")]).err().unwrap();
        let reported: Vec<_> = problem.errors().iter().filter_map(|error| error.parameter.0.as_deref()).collect();
        assert_eq!(reported, ["limit", "x", "limit", "after", "name"]);
    }
}
