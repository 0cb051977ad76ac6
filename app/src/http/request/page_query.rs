//! Query of a list: page size, cursor, filters, and the link to the next page.

use std::fmt::Write;

use domain::{Cursor, Order, PageRequest, PageSize, Reach, SortKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Value, json};

use super::{Filters, ParameterDoc};
use crate::http::problem::{FieldError, Problem, ProblemType};
use crate::http::wire::{WireValue, carried};

/// Key of a schema that contains several documented parameters.
pub const PARAMETERS: &str = "x-parameters";

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
        for (name, value) in self.pairs.iter().filter(|(name, _)| name != "after") {
            let _ = write!(link, "&{name}={}", utf8_percent_encode(value, ESCAPED));
        }
        link + ">; rel=\"next\""
    }
}

/// Escaped characters in a query: all except the unreserved ones (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parser for query parameters that collects all errors.
pub struct Query<'q> {
    pairs: &'q [(String, String)],
    errors: Vec<FieldError>,
}

impl<'q> Query<'q> {
    fn new(pairs: &'q [(String, String)]) -> Self {
        Self { pairs, errors: Vec::new() }
    }

    /// Value of a parameter; `None` if it is absent or invalid.
    pub fn take<T: WireValue>(&mut self, name: &str) -> Option<T> {
        let (_, text) = self.pairs.iter().find(|(key, _)| key == name)?;
        match T::parse_text(text) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.errors.push(FieldError::in_parameter(name, rule));
                None
            }
        }
    }

    fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::new(ProblemType::InvalidFields).with_errors(self.errors))
    }

    /// The order of the list, and the cursor of the page, which states the order too.
    fn take_position(&mut self, keys: &'static [SortKey]) -> (Order, Option<Cursor>) {
        let requested = self.pairs.iter().find(|(name, _)| name == SORT && !keys.is_empty());
        let requested = requested.map(|(_, text)| Order::parse(text, keys));
        if requested == Some(None) {
            self.errors.push(FieldError::in_parameter(SORT, format!("must be one of {}", names(keys).join(", "))));
        }
        let after: Option<Cursor> = self.take(AFTER);
        let order = after.as_ref().map(|after| after.order(keys));
        match (requested.flatten(), order) {
            (requested, None) => (requested.unwrap_or_default(), after),
            (None, Some(Some(order))) => (order, after),
            (Some(requested), Some(Some(order))) if requested == order => (order, after),
            (_, Some(_)) => {
                self.errors
                    .push(FieldError::in_parameter(AFTER, "must be the cursor of a page in the same order".to_owned()));
                (Order::default(), None)
            }
        }
    }

    /// Rejects unknown and repeated parameters, because an ignored filter would return unintended results.
    fn check_names(&mut self, known: &[&str]) {
        // Bounded, so that the response is not larger than the request.
        for (i, (name, _)) in self.pairs.iter().enumerate().take(100) {
            let rule = if !known.contains(&name.as_str()) {
                "is not a known parameter"
            } else if self.pairs.iter().take(i).any(|(earlier, _)| earlier == name) {
                "must not be repeated"
            } else {
                continue;
            };
            self.errors.push(FieldError::in_parameter(name, rule.to_owned()));
        }
    }
}

const LIMIT: &str = "limit";
const AFTER: &str = "after";
const SORT: &str = "sort";

/// The group of these parameters, which [`document::pass`](crate::http::document) unfolds, because poem-openapi allows one parameter per
/// extractor.
fn group(documented: Vec<ParameterDoc>) -> MetaSchemaRef {
    let parameters: Vec<Value> = documented
        .into_iter()
        .map(|ParameterDoc { name, description, schema }| {
            json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
        })
        .collect();
    let schema: MetaSchema = carried(json!({ PARAMETERS: parameters }));
    MetaSchemaRef::Inline(Box::new(schema))
}

/// Names of the orders of a list.
fn names(keys: &'static [SortKey]) -> Vec<String> {
    Order::all(keys).map(|order| order.to_string()).collect()
}

fn paging() -> [ParameterDoc; 2] {
    let mut size = PageSize::schema();
    size["default"] = json!(PageSize::default().get());
    [
        ParameterDoc { name: LIMIT, description: "Maximum page size.".to_owned(), schema: size },
        ParameterDoc {
            name: AFTER,
            description: "Cursor from the previous page (`next`).".to_owned(),
            schema: Cursor::schema(),
        },
    ]
}

impl<F: Filters> PageQuery<F> {
    fn documented() -> Vec<ParameterDoc> {
        // In this order, so that new filters do not change parameter positions in generated clients.
        let sort = (!F::SORT_KEYS.is_empty()).then(|| ParameterDoc {
            name: SORT,
            description:
                "Order of the list; descending with a leading `-`. Entries with equal values are ordered by id."
                    .to_owned(),
            schema: json!({ "type": "string", "enum": names(F::SORT_KEYS), "default": Order::default().to_string() }),
        });
        paging().into_iter().chain(F::parameters()).chain(sort).collect()
    }

    fn parse(path: String, pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut query = Query::new(&pairs);
        let sort = (!F::SORT_KEYS.is_empty()).then_some(SORT);
        query.check_names(&[LIMIT, AFTER].into_iter().chain(F::NAMES.iter().copied()).chain(sort).collect::<Vec<_>>());
        let size = query.take(LIMIT).unwrap_or_default();
        let (order, after) = query.take_position(F::SORT_KEYS);
        let page = PageRequest { order, after, size };
        let filter = F::take(&mut query);
        if filter.reach() == Reach::Search && order != Order::default() {
            query.errors.push(FieldError::in_parameter(SORT, "must be id in a search by name".to_owned()));
        }
        query.finish()?;
        Ok(Self { filter, page, path, pairs })
    }
}

impl<'a, F: Filters> ApiExtractor<'a> for PageQuery<F> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(group(Self::documented()))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let path = request.original_uri().path().to_owned();
        Ok(Self::parse(path, request.params().unwrap_or_default())?)
    }
}

/// The filters of an export, and the option of a text table.
pub struct ExportQuery<F, const IS_TABLE: bool> {
    pub filter: F,
    pub spreadsheet: bool,
}

const SPREADSHEET: &str = "spreadsheet";

impl<F: Filters, const IS_TABLE: bool> ExportQuery<F, IS_TABLE> {
    fn documented() -> Vec<ParameterDoc> {
        let mut schema = bool::schema();
        schema["default"] = json!(false);
        let option = IS_TABLE.then(|| ParameterDoc {
            name: SPREADSHEET,
            description: "Whether the file is opened in a spreadsheet program. Then it starts with a byte order mark, and cells that the \
                          program would run as formulas start with an apostrophe."
                .to_owned(),
            schema,
        });
        F::parameters().into_iter().chain(option).collect()
    }

    fn parse(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut query = Query::new(pairs);
        let option = IS_TABLE.then_some(SPREADSHEET);
        query.check_names(&F::NAMES.iter().copied().chain(option).collect::<Vec<_>>());
        let spreadsheet = query.take(SPREADSHEET).unwrap_or_default();
        let filter = F::take(&mut query);
        query.finish()?;
        Ok(Self { filter, spreadsheet })
    }
}

impl<'a, F: Filters, const IS_TABLE: bool> ApiExtractor<'a> for ExportQuery<F, IS_TABLE> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(group(Self::documented()))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let pairs: Vec<_> = request.params().unwrap_or_default();
        Ok(Self::parse(&pairs)?)
    }
}

#[cfg(test)]
mod tests {
    use domain::student::StudentFilter;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<PageQuery<StudentFilter>, Problem> {
        let pairs = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        PageQuery::parse("/students".to_owned(), pairs)
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
