//! Parameters that are documented as what they mean and taken as text, so that the domain's parsers speak
//! about all of them at once.

use std::borrow::Cow;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use domain::{Cursor, PageSize};
use poem::Request;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromParameter, ParseResult, Type};

use super::problem::{Fault, Kind, Problem};

/// The text of a parameter that the document calls a `T`.
#[derive(Debug)]
pub struct Loose<T> {
    text: String,
    documented: PhantomData<fn() -> T>,
}

impl<T> Loose<T> {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id that a path names; what is no id names nobody.
    ///
    /// # Errors
    /// `unknown`
    pub fn id<I: FromStr>(&self, unknown: Kind) -> Result<I, Problem> {
        self.text.parse().map_err(|_| Problem::new(unknown))
    }
}

impl<T: Type> Type for Loose<T> {
    const IS_REQUIRED: bool = T::IS_REQUIRED;

    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&T::RawValueType> {
        None
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a T::RawElementValueType> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl<T: Type> ParseFromParameter for Loose<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self { text: value.to_owned(), documented: PhantomData })
    }
}

/// Parses query parameters and gathers the faults of all.
#[derive(Default)]
pub struct Parameters {
    faults: Vec<Fault>,
}

impl Parameters {
    /// Finds fault with parameters that are not known, and with those that stand twice: an answer to another
    /// question than was meant helps nobody.
    pub fn known(&mut self, request: &Request, names: &[&str]) {
        let given = request.params::<Vec<(String, String)>>().unwrap_or_default();
        // A hundred are enough to learn from: the answer must not be larger than the question.
        for (i, (name, _)) in given.iter().enumerate().take(100) {
            let fault = if !names.contains(&name.as_str()) {
                "is not a known parameter"
            } else if given.iter().take(i).any(|(earlier, _)| earlier == name) {
                "must be given once"
            } else {
                continue;
            };
            self.faults.push(Fault::in_parameter(name, fault.to_owned()));
        }
    }

    /// The parameter's value; `None` where it is absent, or at fault.
    pub fn take<T, D, E: Display>(
        &mut self,
        name: &str,
        given: Option<&Loose<D>>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(given?.as_str()) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.faults.push(Fault::in_parameter(name, rule.to_string()));
                None
            }
        }
    }

    /// Which page of a list is wanted: how much, and behind what.
    pub fn page(&mut self, limit: Option<&Loose<u16>>, after: Option<&Loose<String>>) -> (PageSize, Option<Cursor>) {
        let size = self.take("limit", limit, whole(PageSize::parse)).unwrap_or_default();
        (size, self.take("after", after, str::parse::<Cursor>))
    }

    /// # Errors
    /// 422 with every fault found.
    pub fn check(self) -> Result<(), Problem> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Kind::InvalidFields).with_faults(self.faults))
    }
}

/// A parser of integers as a parser of text.
pub fn whole<T, E: Display>(parse: impl FnOnce(i64) -> Result<T, E>) -> impl FnOnce(&str) -> Result<T, String> {
    |text| match i64::from_str(text) {
        Ok(number) => parse(number).map_err(|rule| rule.to_string()),
        Err(_) => Err("must be an integer".to_owned()),
    }
}
