//! Values that do not belong to one resource.

use domain::audit::Action;
use domain::{Cursor, Email, Id, Kind, PageSize, Target};
use serde::Serializer;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::value::{integer, integer_schema};
use super::{WireValue, integer_value, text_value};

// Without the format `email`: validators of it reject a leading dot and accept quotes, unlike the pattern.
text_value!(Email);

impl<K: Kind> WireValue for Id<K> {
    const NAME: &'static str = "Id";

    fn schema() -> Value {
        integer_schema(1, domain::MAX_ID)
    }

    fn parse(value: Value) -> Result<Self, String> {
        integer(&value)?.try_into().map_err(|rule: domain::IdError| rule.to_string())
    }

    fn parse_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|rule: domain::IdError| rule.to_string())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.get())
    }
}

integer_value!(PageSize, PageSize::MIN, PageSize::MAX, PageSize::parse, PageSize::get);

text_value!(
    Cursor { "minLength": Cursor::MIN_CHARS, "maxLength": Cursor::MAX_CHARS, "pattern": Cursor::PATTERN },
    |text: String| text.parse::<Cursor>(),
    |cursor: &Cursor| cursor.to_string()
);
text_value!(
    Action { "maxLength": 65, "pattern": Action::PATTERN },
    |text: String| text.parse::<Action>(),
    Action::as_str
);
text_value!(
    Target { "maxLength": 161, "pattern": Target::PATTERN },
    |text: String| text.parse::<Target>(),
    |target: &Target| target.to_string()
);
text_value!(String {}, Ok::<String, &str>, |text: &String| text.clone());

/// Static text, in responses only.
pub type Text = &'static str;

text_value!(Text {}, |_: String| Err::<Text, _>("is not allowed in requests"), |text: &Text| *text);

impl WireValue for bool {
    const NAME: &'static str = "Boolean";

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }

    fn parse(value: Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "must be true or false".to_owned())
    }

    fn parse_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be true or false".to_owned())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }
}

/// An integer with bounds that are not defined in the domain.
#[derive(Debug, Clone, Copy)]
pub struct Int<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> WireValue for Int<MIN, MAX> {
    const NAME: &'static str = "Integer";

    fn schema() -> Value {
        integer_schema(MIN, MAX)
    }

    fn parse(value: Value) -> Result<Self, String> {
        match integer(&value)? {
            number if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("must be an integer from {MIN} to {MAX}")),
        }
    }

    fn parse_text(text: &str) -> Result<Self, String> {
        let number = text.parse::<i64>().map_err(|_| "must be an integer".to_owned())?;
        Self::parse(number.into())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// A time in UTC (RFC 3339).
impl WireValue for OffsetDateTime {
    const NAME: &'static str = "Time";

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }

    fn parse(value: Value) -> Result<Self, String> {
        let read = value.as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let utc =
            read.and_then(|at| at.checked_to_offset(time::UtcOffset::UTC)).filter(|at| (1..=9999).contains(&at.year()));
        utc.ok_or_else(|| "must be a date and time as in 2026-11-23T12:00:00Z (RFC 3339)".to_owned())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::serde::rfc3339::serialize(self, serializer)
    }
}
