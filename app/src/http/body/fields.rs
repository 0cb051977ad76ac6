//! Reading an object's fields into the domain's types, and gathering every fault on the way.

use std::fmt::Display;

use domain::user::PasswordPolicy;
use serde_json::{Map, Value};

use crate::http::problem::Fault;

/// The largest integer that every JSON reader keeps (RFC 8259, section 6).
const EXACT: f64 = 9_007_199_254_740_991.0;

/// A field is at fault; which, and why, stands among the faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtFault;

/// The fields of one object. Each is taken once; what remains is unknown.
pub struct Fields {
    object: Map<String, Value>,
    faults: Vec<Fault>,
    password_policy: PasswordPolicy,
}

impl Fields {
    /// The fields of a body that is an object; a body that is none has one fault, the whole of it.
    pub fn of(body: Value, password_policy: PasswordPolicy) -> Result<Self, Vec<Fault>> {
        match body {
            Value::Object(object) => Ok(Self { object, faults: Vec::new(), password_policy }),
            _ => Err(vec![Fault::at(String::new(), "must be an object".to_owned())]),
        }
    }

    /// What this installation asks of new passwords.
    pub const fn password_policy(&self) -> PasswordPolicy {
        self.password_policy
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, key: &str, parse: impl FnOnce(Value) -> Result<T, String>) -> Result<T, AtFault> {
        match self.object.remove(key) {
            None => self.fault(key, "is missing"),
            Some(Value::Null) => self.fault(key, "must not be null"),
            Some(value) => self.parsed(key, value, parse),
        }
    }

    /// A field that may be absent or null: `None` then.
    pub fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<T>, AtFault> {
        match self.object.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.parsed(key, value, parse).map(Some),
        }
    }

    /// A required field's change (RFC 7396): `None` where it is absent, a fault where it is null.
    pub fn change<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<T>, AtFault> {
        if self.object.contains_key(key) { self.required(key, parse).map(Some) } else { Ok(None) }
    }

    /// An optional field's change (RFC 7396): `None` where it is absent, `Some(None)` where null removes it.
    #[expect(clippy::option_option, reason = "absent, null and a value are three cases, as in the domain's patch")]
    pub fn clearable<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<Option<T>>, AtFault> {
        if self.object.contains_key(key) { self.optional(key, parse).map(Some) } else { Ok(None) }
    }

    /// Every fault found; also each field that nobody took, where `unknown_allowed` is not set.
    pub fn faults(mut self, unknown_allowed: bool) -> Vec<Fault> {
        if !unknown_allowed {
            // A hundred are enough to learn from: the answer must not be larger than the question.
            for key in self.object.keys().take(100) {
                self.faults.push(Fault::at(pointer(key), "is not a known field".to_owned()));
            }
        }
        self.faults
    }

    fn parsed<T>(
        &mut self,
        key: &str,
        value: Value,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<T, AtFault> {
        match parse(value) {
            Ok(parsed) => Ok(parsed),
            Err(rule) => self.fault(key, &rule),
        }
    }

    fn fault<T>(&mut self, key: &str, rule: &str) -> Result<T, AtFault> {
        self.faults.push(Fault::at(pointer(key), rule.to_owned()));
        Err(AtFault)
    }
}

/// A parser of strings as a parser of JSON.
pub fn text<T, E: Display>(parse: impl FnOnce(String) -> Result<T, E>) -> impl FnOnce(Value) -> Result<T, String> {
    |value| match value {
        Value::String(text) => parse(text).map_err(|rule| rule.to_string()),
        _ => Err("must be a string".to_owned()),
    }
}

/// A parser of integers as a parser of JSON. `7.0` is the integer 7 (RFC 8259 knows one kind of number).
pub fn integer<T, E: Display>(parse: impl FnOnce(i64) -> Result<T, E>) -> impl FnOnce(Value) -> Result<T, String> {
    |value| {
        let Value::Number(number) = &value else { return Err("must be an integer".to_owned()) };
        let whole = number.as_i64().or_else(|| number.as_f64().and_then(exact));
        match whole {
            Some(whole) => parse(whole).map_err(|rule| rule.to_string()),
            None => Err("must be an integer from -(2^53-1) to 2^53-1".to_owned()),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits: nothing is cut off")]
fn exact(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// The JSON Pointer to a key of the body (RFC 6901, section 3).
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "a parser that takes everything")]
    fn any(number: i64) -> Result<i64, Infallible> {
        Ok(number)
    }

    #[test]
    fn a_pointer_escapes_what_it_must() {
        assert_eq!(pointer("a/b~c"), "/a~1b~0c");
    }

    #[test]
    fn an_integer_may_be_written_as_a_whole_float() {
        for (value, read) in [(json!(7), 7), (json!(7.0), 7), (json!(-1e3), -1000)] {
            assert_eq!(integer(any)(value), Ok(read));
        }
        for wrong in [json!(7.5), json!("7"), json!(1e300), json!(true), json!(u64::MAX)] {
            assert!(integer(any)(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_fault_is_gathered() {
        let mut fields = Fields::of(json!({"a": "x", "b": null, "z": 1}), PasswordPolicy::default()).unwrap();
        for key in ["a", "b", "c"] {
            assert_eq!(fields.required(key, integer(any)), Err(AtFault));
        }
        let pointers: Vec<_> = fields.faults(false).into_iter().filter_map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/a", "/b", "/c", "/z"]);
    }

    #[test]
    fn req_28_null_clears_only_what_is_optional() {
        let mut fields = Fields::of(json!({"a": null, "b": null}), PasswordPolicy::default()).unwrap();
        assert_eq!(fields.clearable("a", integer(any)), Ok(Some(None)));
        assert_eq!(fields.change("b", integer(any)), Err(AtFault));
        assert_eq!(fields.clearable("c", integer(any)), Ok(None));
        assert_eq!(fields.change("d", integer(any)), Ok(None));
        assert_eq!(fields.faults(false).len(), 1);
    }
}
