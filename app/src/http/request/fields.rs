//! Parser for the fields of a JSON object that collects all errors.

use serde_json::{Map, Value};

use crate::http::problem::FieldError;
use crate::http::wire::WireField;

/// Marks an invalid field. The [`FieldError`] is recorded in [`Fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// Fields of one object. Each field is taken once; remaining fields are unknown.
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Wraps the fields of a body.
    ///
    /// # Errors
    /// One error for the whole body if it is not an object.
    pub fn of(body: Value) -> Result<Self, Vec<FieldError>> {
        match body {
            Value::Object(object) => Ok(Self { object, errors: Vec::new() }),
            _ => Err(vec![FieldError::at(String::new(), "must be an object".to_owned())]),
        }
    }

    /// Takes a field by the rules of its type.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn take<F: WireField>(&mut self, key: &str) -> Result<F, Invalid> {
        F::take(self, key)
    }

    /// Takes the change of a field (RFC 7396); `None` if the field is absent.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn change<F: WireField>(&mut self, key: &str) -> Result<Option<F>, Invalid> {
        if self.object.contains_key(key) { F::take(self, key).map(Some) } else { Ok(None) }
    }

    /// Takes a required field.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn required<T>(&mut self, key: &str, parse: impl FnOnce(Value) -> Result<T, String>) -> Result<T, Invalid> {
        match self.object.remove(key) {
            None => self.error(key, "is missing"),
            Some(Value::Null) => self.error(key, "must not be null"),
            Some(value) => parse(value).or_else(|rule| self.error(key, &rule)),
        }
    }

    /// Takes an optional field; `None` if it is absent or null.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<Option<T>, Invalid> {
        match self.object.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => parse(value).map(Some).or_else(|rule| self.error(key, &rule)),
        }
    }

    /// All errors, including one for each remaining field unless unknown fields are ignored.
    pub fn errors(mut self, ignores_unknown: bool) -> Vec<FieldError> {
        if !ignores_unknown {
            // Bounded, so that the response is not larger than the request.
            for key in self.object.keys().take(100) {
                self.errors.push(FieldError::at(pointer(key), "is not a known field".to_owned()));
            }
        }
        self.errors
    }

    fn error<T>(&mut self, key: &str, rule: &str) -> Result<T, Invalid> {
        self.errors.push(FieldError::at(pointer(key), rule.to_owned()));
        Err(Invalid)
    }
}

/// JSON Pointer to a key of the body (RFC 6901, section 3).
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::wire::Int;

    type Number = Int<0, 9>;

    fn fields(body: Value) -> Fields {
        Fields::of(body).unwrap()
    }

    #[test]
    fn pointer_escapes_reserved_characters() {
        assert_eq!(pointer("a/b~c"), "/a~1b~0c");
    }

    #[test]
    fn every_error_is_collected() {
        let mut fields = fields(json!({"a": "x", "b": null, "z": 1}));
        for key in ["a", "b", "c"] {
            assert!(fields.take::<Number>(key).is_err());
        }
        let pointers: Vec<_> = fields.errors(false).into_iter().filter_map(|error| error.pointer.0).collect();
        assert_eq!(pointers, ["/a", "/b", "/c", "/z"]);
    }

    /// REQ 28.
    #[test]
    fn null_clears_only_optional_fields() {
        let mut fields = fields(json!({"a": null, "b": null}));
        assert!(matches!(fields.change::<Option<Number>>("a"), Ok(Some(None))));
        assert!(fields.change::<Number>("b").is_err());
        assert!(matches!(fields.change::<Option<Number>>("c"), Ok(None)));
        assert!(matches!(fields.change::<Number>("d"), Ok(None)));
        assert_eq!(fields.errors(false).len(), 1);
    }
}
