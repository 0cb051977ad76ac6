//! Parameters in paths and queries.

use std::borrow::Cow;
use std::marker::PhantomData;

use domain::{Id, Kind};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromParameter, ParseResult, Type};

use super::WireValue;
use super::schema::carried;
use crate::http::problem::Problem;

/// A parameter with the schema of `T`, stored as text. Parsing happens in the operation, because poem-openapi reports only the
/// first invalid parameter, with its own error texts.
pub struct Wire<T> {
    text: Option<String>,
    documented: PhantomData<fn() -> T>,
}

impl<T: WireValue> Wire<T> {
    /// Text of the parameter; `None` if it is absent.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl<K: Kind> Wire<Id<K>> {
    /// Parses the id in a path.
    ///
    /// # Errors
    /// 404 if the text is not a valid id.
    pub fn id(&self) -> Result<Id<K>, Problem> {
        self.text().and_then(|text| text.parse().ok()).ok_or_else(Problem::record_not_found::<K>)
    }
}

impl<T: WireValue> Type for Wire<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = ();
    type RawElementValueType = ();

    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(carried(T::schema())))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&()> {
        None
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a ()> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl<T: WireValue> ParseFromParameter for Wire<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self { text: Some(text.to_owned()), documented: PhantomData })
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(texts: I) -> ParseResult<Self> {
        let text = texts.into_iter().next().map(|text| text.as_ref().to_owned());
        Ok(Self { text, documented: PhantomData })
    }
}
