//! Strict JSON parser (RFC 8259) that rejects duplicate keys.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Parses one JSON document.
///
/// # Errors
/// If the input is not JSON in UTF-8, has a duplicate key, or has more than 127 levels of nesting. Contains the position.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Strict>(bytes).map(|strict| strict.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Strict(value) = entries.next_value()?;
            if object.contains_key(&key) {
                return Err(A::Error::custom("duplicate key in an object"));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn valid_json_is_parsed_unchanged() {
        let text = br#"{"a":[1,-2,3.5,null,true,"\u00e9 \ud83d\ude00"],"b":{"a":1}}"#;
        assert_eq!(parse(text).unwrap(), serde_json::from_slice::<serde_json::Value>(text).unwrap());
    }

    /// REQ 29.
    #[test]
    fn invalid_json_is_rejected() {
        let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
        for wrong in [
            &b""[..],
            b"{\"a\":1,\"a\":1}",
            b"{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
            b"NaN",
            b"[1e999]",
            b"\"\\ud800\"",
            b"\"\xff\"",
            b"\"\0\"",
            b"{} {}",
            b"{'a':1}",
            b"\xef\xbb\xbf{}",
            &deep,
        ] {
            assert!(parse(wrong).is_err(), "{:?}", String::from_utf8_lossy(&wrong[..wrong.len().min(40)]));
        }
    }
}
