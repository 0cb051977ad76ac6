//! Values: trait with parser, writer and schema of a type.

use poem_openapi::registry::Registry;
use serde::Serializer;
use serde_json::Value;

/// A value on the wire. Schema, parser and writer derive from the constants and the constructor of the domain type.
pub trait WireValue: Sized + Send + Sync + 'static {
    /// Name of the type, for derived components.
    const NAME: &'static str;

    /// Schema of the value in requests: type, format, bounds and pattern.
    fn schema() -> Value;

    /// Registers the component that the schema refers to, if it is a reference.
    fn register(_registry: &mut Registry) {}

    /// Parses a JSON value.
    ///
    /// # Errors
    /// The violated rule.
    fn parse(value: Value) -> Result<Self, String>;

    /// Parses the text of a parameter.
    ///
    /// # Errors
    /// The violated rule.
    fn parse_text(text: &str) -> Result<Self, String> {
        Self::parse(text.into())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Schema of the value in responses, without length bounds and patterns of text: clients that validate them may count other
/// units than characters or not support the pattern syntax.
pub fn response_schema<T: WireValue>() -> Value {
    let mut schema = T::schema();
    if let Some(object) = schema.as_object_mut()
        && !object.contains_key("enum")
    {
        object.retain(|key, _| !["minLength", "maxLength", "pattern"].contains(&key.as_str()));
    }
    schema
}

/// Largest integer that is exact in every JSON implementation (RFC 8259, section 6): 2^53 - 1.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// Parses an integer. `7.0` is the integer 7, because JSON has one number type.
///
/// # Errors
/// The violated rule.
pub fn integer(value: &Value) -> Result<i64, String> {
    let Value::Number(number) = value else { return Err("must be an integer".to_owned()) };
    let whole = number.as_i64().or_else(|| number.as_f64().and_then(exact));
    whole.ok_or_else(|| "must be an integer from -(2^53-1) to 2^53-1".to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "integral and within 53 bits, so the conversion is exact")]
fn exact(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Schema of an integer with bounds.
pub fn integer_schema(min: i64, max: i64) -> Value {
    let format = if max > i64::from(i32::MAX) { "int64" } else { "int32" };
    serde_json::json!({ "type": "integer", "format": format, "minimum": min, "maximum": max })
}

/// Implements [`WireValue`] for text: a [`domain::Text`] by its name, another type by schema, parser of an owned string, and
/// accessor.
macro_rules! text_value {
    ($($type:ty),+) => {
        $($crate::http::wire::text_value!(
            $type {
                "minLength": <$type as domain::Text>::MIN_CHARS,
                "maxLength": <$type as domain::Text>::MAX_CHARS,
                "pattern": <$type as domain::Text>::PATTERN,
            },
            |text: String| <$type as domain::Text>::parse(text),
            <$type as domain::Text>::as_str
        );)+
    };
    ($type:ty { $($schema:tt)* }, $parse:expr, $write:expr) => {
        impl $crate::http::wire::WireValue for $type {
            const NAME: &'static str = stringify!($type);

            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", $($schema)* })
            }

            fn parse(value: serde_json::Value) -> Result<Self, String> {
                match value {
                    serde_json::Value::String(text) => ($parse)(text).map_err(|rule| rule.to_string()),
                    _ => Err("must be a string".to_owned()),
                }
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(($write)(self).as_ref())
            }
        }
    };
}
pub(crate) use text_value;

/// Implements [`WireValue`] for an integer, by bounds, parser of an `i64`, and accessor:
/// `integer_value!(Age, Age::MIN, Age::MAX, Age::parse, Age::get)`.
macro_rules! integer_value {
    ($type:ty, $min:expr, $max:expr, $parse:expr, $write:expr) => {
        impl $crate::http::wire::WireValue for $type {
            const NAME: &'static str = stringify!($type);

            fn schema() -> serde_json::Value {
                $crate::http::wire::value::integer_schema($min.into(), $max.into())
            }

            fn parse(value: serde_json::Value) -> Result<Self, String> {
                ($parse)($crate::http::wire::value::integer(&value)?).map_err(|rule| rule.to_string())
            }

            fn parse_text(text: &str) -> Result<Self, String> {
                let number = text.parse::<i64>().map_err(|_| "must be an integer".to_owned())?;
                ($parse)(number).map_err(|rule| rule.to_string())
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(($write)(*self).into())
            }
        }
    };
}
pub(crate) use integer_value;

/// Implements [`WireValue`] for a closed enumeration, documented as a component. Requires `ALL`, `as_str`, `Debug`, `FromStr`.
macro_rules! enum_value {
    ($(#[doc = $doc:literal])+ $type:ident as $name:literal) => {
        impl $crate::http::wire::Described for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schema(_registry: &mut poem_openapi::registry::Registry) -> serde_json::Value {
                let values: Vec<_> = $type::ALL.iter().map(|value| value.as_str()).collect();
                let names: Vec<_> = $type::ALL.iter().map(|value| format!("{value:?}")).collect();
                let description = $crate::http::wire::description(&[$($doc),+]);
                $crate::http::wire::enumeration(&description, &values, &names)
            }
        }

        impl $crate::http::wire::WireValue for $type {
            const NAME: &'static str = $name;

            fn schema() -> serde_json::Value {
                <Self as $crate::http::wire::Described>::reference()
            }

            fn register(registry: &mut poem_openapi::registry::Registry) {
                <Self as $crate::http::wire::Described>::register(registry);
            }

            fn parse(value: serde_json::Value) -> Result<Self, String> {
                match value {
                    serde_json::Value::String(text) => text.parse::<Self>().map_err(|rule| rule.to_string()),
                    _ => Err("must be a string".to_owned()),
                }
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use enum_value;

/// Defines a closed enumeration that exists only in the wire format.
macro_rules! closed_enum {
    ($(#[doc = $doc:literal])+ $visibility:vis enum $type:ident as $name:literal { $($variant:ident = $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $type {
            $($variant,)+
        }

        impl $type {
            const ALL: &[Self] = &[$(Self::$variant,)+];

            const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().find(|value| value.as_str() == text).copied().ok_or("must be one of the listed values")
            }
        }

        $crate::http::wire::enum_value! {
            $(#[doc = $doc])+
            $type as $name
        }
    };
}
pub(crate) use closed_enum;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::integer;

    #[test]
    fn integer_may_be_written_as_whole_float() {
        for (value, read) in [(json!(7), 7), (json!(7.0), 7), (json!(-1e3), -1000)] {
            assert_eq!(integer(&value), Ok(read));
        }
        for wrong in [json!(7.5), json!("7"), json!(1e300), json!(true), json!(u64::MAX)] {
            assert!(integer(&wrong).is_err(), "{wrong}");
        }
    }
}
