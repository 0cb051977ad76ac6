//! Query parameters of operations.

use std::ops::Deref;

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Value, json};

use crate::http::problem::{FieldError, Problem, ProblemType};
use crate::http::wire::{WireValue, carried};

/// Key of a schema that contains several documented parameters.
pub const PARAMETERS: &str = "x-parameters";

/// Documentation of a query parameter.
pub struct ParameterDoc {
    pub name: &'static str,
    pub description: String,
    pub schema: Value,
    pub is_required: bool,
}

impl ParameterDoc {
    pub fn optional(name: &'static str, description: &str, schema: Value) -> Self {
        Self { name, description: description.to_owned(), schema, is_required: false }
    }

    /// An optional parameter with a default.
    pub fn with_default(name: &'static str, description: &str, mut schema: Value, default: impl Into<Value>) -> Self {
        schema["default"] = default.into();
        Self::optional(name, description, schema)
    }
}

/// The query parameters of one kind of operation.
pub trait QueryParameters: Sized + Send {
    fn documented() -> Vec<ParameterDoc>;

    /// # Errors
    /// A problem with all invalid parameters.
    fn parse(query: Query) -> Result<Self, Problem>;
}

/// Extracts the query parameters of a request.
pub struct FromQuery<Q>(pub Q);

impl<Q> Deref for FromQuery<Q> {
    type Target = Q;

    fn deref(&self) -> &Q {
        &self.0
    }
}

impl<'a, Q: QueryParameters> ApiExtractor<'a> for FromQuery<Q> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(group(Q::documented()))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let path = request.original_uri().path().to_owned();
        Ok(Self(Q::parse(Query::new(path, request.params().unwrap_or_default()))?))
    }
}

/// The group of these parameters, which [`document::pass`](crate::http::document) unfolds, because poem-openapi allows one parameter per
/// extractor.
fn group(documented: Vec<ParameterDoc>) -> MetaSchemaRef {
    let parameters: Vec<Value> = documented
        .into_iter()
        .map(|ParameterDoc { name, description, schema, is_required }| {
            json!({ "name": name, "in": "query", "required": is_required, "description": description, "schema": schema })
        })
        .collect();
    let schema: MetaSchema = carried(json!({ PARAMETERS: parameters }));
    MetaSchemaRef::Inline(Box::new(schema))
}

/// Parser for query parameters that collects all errors.
pub struct Query {
    path: String,
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Query {
    pub const fn new(path: String, pairs: Vec<(String, String)>) -> Self {
        Self { path, pairs, errors: Vec::new() }
    }

    /// Text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    /// Value of a parameter; `None` if it is absent or invalid.
    pub fn take<T: WireValue>(&mut self, name: &str) -> Option<T> {
        match T::parse_text(self.text(name)?) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.reject(name, rule);
                None
            }
        }
    }

    /// Value of a required parameter; `None` if it is invalid.
    pub fn require<T: WireValue>(&mut self, name: &str) -> Option<T> {
        if self.text(name).is_none() {
            self.reject(name, "is missing");
        }
        self.take(name)
    }

    /// Adds an error.
    pub fn reject(&mut self, name: &str, rule: impl Into<String>) {
        self.errors.push(FieldError::in_parameter(name, rule.into()));
    }

    /// Rejects unknown and repeated parameters, because an ignored filter would return unintended results.
    pub fn check_names(&mut self, known: impl IntoIterator<Item = &'static str>) {
        let known: Vec<_> = known.into_iter().collect();
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

    /// The path and the parameters.
    ///
    /// # Errors
    /// A problem with all errors.
    pub fn finish(self) -> Result<(String, Vec<(String, String)>), Problem> {
        if self.errors.is_empty() {
            return Ok((self.path, self.pairs));
        }
        Err(Problem::new(ProblemType::InvalidFields).with_errors(self.errors))
    }
}
