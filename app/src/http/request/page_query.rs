//! The query of a list: page size, cursor and filters, and the link to the next page.

use std::fmt::Write;

use domain::{Cursor, PageRequest, PageSize};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Value, json};

use super::{Filters, ParameterDoc};
use crate::http::problem::{FieldError, Problem, ProblemType};
use crate::http::wire::{WireValue, carried};

/// Marks the schema of one documented parameter that stands for several.
pub const PARAMETERS: &str = "x-parameters";

/// Which page of a list is requested, and by which filters.
pub struct PageQuery<F> {
    pub filter: F,
    pub page: PageRequest,
    path: String,
    given: Vec<(String, String)>,
}

impl<F> PageQuery<F> {
    /// The value of the `Link` header for the page after this one (RFC 8288): the same query with another cursor.
    pub fn link_to(&self, next: Cursor) -> String {
        let mut link = format!("<{}?after={next}", self.path);
        for (name, value) in self.given.iter().filter(|(name, _)| name != "after") {
            let _ = write!(link, "&{name}={}", utf8_percent_encode(value, ESCAPED));
        }
        link + ">; rel=\"next\""
    }
}

/// What is escaped in a query: all but the unreserved characters (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parses query parameters and collects the errors of all.
pub struct Query<'q> {
    given: &'q [(String, String)],
    errors: Vec<FieldError>,
}

impl<'q> Query<'q> {
    fn new(given: &'q [(String, String)]) -> Self {
        Self { given, errors: Vec::new() }
    }

    /// The parameter's value; `None` if it is absent or invalid.
    pub fn take<T: WireValue>(&mut self, name: &str) -> Option<T> {
        let (_, text) = self.given.iter().find(|(given, _)| given == name)?;
        match T::parse_text(text) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.errors.push(FieldError::in_parameter(name, rule));
                None
            }
        }
    }

    /// Rejects unknown and repeated parameters: a response to another question than was meant helps no client.
    fn check_names(&mut self, filters: &[&str]) {
        // A hundred are enough to learn from: the response must not be larger than the request.
        for (i, (name, _)) in self.given.iter().enumerate().take(100) {
            let rule = if !filters.contains(&name.as_str()) && !PAGING.contains(&name.as_str()) {
                "is not a known parameter"
            } else if self.given.iter().take(i).any(|(earlier, _)| earlier == name) {
                "must be given once"
            } else {
                continue;
            };
            self.errors.push(FieldError::in_parameter(name, rule.to_owned()));
        }
    }
}

/// The parameters of every list.
const PAGING: [&str; 2] = ["limit", "after"];

fn paging() -> [ParameterDoc; 2] {
    let mut size = PageSize::schema();
    size["default"] = json!(PageSize::default().get());
    [
        ParameterDoc { name: PAGING[0], description: "Maximum page size.".to_owned(), schema: size },
        ParameterDoc {
            name: PAGING[1],
            description: "Cursor from the previous page: its `next`.".to_owned(),
            schema: Cursor::schema(),
        },
    ]
}

impl<F: Filters> PageQuery<F> {
    fn documented() -> Vec<ParameterDoc> {
        // Paging first: further filters do not move it in the signatures that generators write.
        paging().into_iter().chain(F::parameters()).collect()
    }

    fn parse(path: String, given: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut query = Query::new(&given);
        query.check_names(F::NAMES);
        let size = query.take(PAGING[0]).unwrap_or_default();
        let page = PageRequest { size, after: query.take(PAGING[1]) };
        let filter = F::take(&mut query);
        if !query.errors.is_empty() {
            return Err(Problem::new(ProblemType::InvalidFields).with_errors(query.errors));
        }
        Ok(Self { filter, page, path, given })
    }
}

impl<'a, F: Filters> ApiExtractor<'a> for PageQuery<F> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    /// An extractor documents one parameter: this one carries the others, for the document's pass to unfold.
    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let parameters: Vec<Value> = Self::documented()
            .into_iter()
            .map(|ParameterDoc { name, description, schema }| {
                json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
            })
            .collect();
        let schema: MetaSchema = carried(json!({ PARAMETERS: parameters }));
        Some(MetaSchemaRef::Inline(Box::new(schema)))
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

#[cfg(test)]
mod tests {
    use domain::student::StudentFilter;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<PageQuery<StudentFilter>, Problem> {
        let given = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        PageQuery::parse("/students".to_owned(), given)
    }

    /// REQ 27.
    #[test]
    fn link_repeats_the_query_with_another_cursor() {
        let pairs = [("name", "å&b"), ("after", "0000000000000001"), ("limit", "50"), ("roll_no", "7")];
        let link = query(&pairs).ok().unwrap().link_to("000000000000001a".parse().unwrap());
        assert_eq!(link, "</students?after=000000000000001a&name=%C3%A5%26b&limit=50&roll_no=7>; rel=\"next\"");
    }

    #[test]
    fn every_invalid_parameter_is_named() {
        let refused = query(&[("limit", "0"), ("limit", "1"), ("name", ""), ("x", "1"), ("after", "z")]).err().unwrap();
        let named: Vec<_> = refused.errors().iter().filter_map(|error| error.parameter.0.as_deref()).collect();
        assert_eq!(named, ["limit", "x", "limit", "after", "name"]);
    }
}
