//! Field types of objects: values, optional values, lists and nested objects.

use poem_openapi::registry::Registry;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::schema::carried;
use super::{Described, WireValue, response_schema};
use crate::http::request::{Fields, Invalid};

/// Presence of a field in requests and responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Always,
    /// Absent or null in requests, null in responses.
    Nullable,
    /// Absent in responses.
    Omitted,
}

impl Presence {
    /// Whether the field is required in requests.
    pub fn is_required(self) -> bool {
        self == Self::Always
    }

    /// Whether the field is present in every response.
    pub fn is_always_sent(self) -> bool {
        self != Self::Omitted
    }
}

/// A field of an object in responses.
pub trait ResponseField: Sized + Send + Sync + 'static {
    const PRESENCE: Presence;

    /// Registers the components that the schema references.
    fn register(registry: &mut Registry);

    fn response_schema(registry: &mut Registry) -> Value;

    /// Whether the field is omitted from the response.
    fn is_absent(&self) -> bool {
        false
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A field of an object in requests and responses. `T` is required and never null. `Option<T>` may be absent or null in
/// requests; `None` is null in responses.
pub trait WireField: ResponseField {
    fn request_schema(registry: &mut Registry) -> Value;

    /// Schema in a JSON Merge Patch (RFC 7396). Registers the components that it references.
    fn patch_schema(registry: &mut Registry) -> Value;

    /// Takes the field out of a body.
    ///
    /// # Errors
    /// [`Invalid`] if it violates a rule. The error is recorded in `fields`.
    fn take(fields: &mut Fields, key: &str) -> Result<Self, Invalid>;
}

impl<T: WireValue> ResponseField for T {
    const PRESENCE: Presence = Presence::Always;

    fn register(registry: &mut Registry) {
        <T as WireValue>::register(registry);
    }

    fn response_schema(_registry: &mut Registry) -> Value {
        response_schema::<T>()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireValue::write(self, serializer)
    }
}

impl<T: WireValue> WireField for T {
    fn request_schema(_registry: &mut Registry) -> Value {
        T::schema()
    }

    fn patch_schema(_registry: &mut Registry) -> Value {
        T::schema()
    }

    fn take(fields: &mut Fields, key: &str) -> Result<Self, Invalid> {
        fields.required(key, T::parse)
    }
}

impl<T: WireValue> ResponseField for Option<T> {
    const PRESENCE: Presence = Presence::Nullable;

    fn register(registry: &mut Registry) {
        <T as WireValue>::register(registry);
    }

    fn response_schema(_registry: &mut Registry) -> Value {
        nullable(response_schema::<T>())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => WireValue::write(value, serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: WireValue> WireField for Option<T> {
    fn request_schema(_registry: &mut Registry) -> Value {
        nullable(T::schema())
    }

    /// The schema is a component, because generators for languages with one representation of a missing value (progenitor)
    /// treat null in an inline schema as absent, and their clients cannot clear the field. The title becomes the name of the value
    /// that is not null.
    fn patch_schema(registry: &mut Registry) -> Value {
        let name = format!("Nullable{}", T::NAME);
        let mut schema = nullable(T::schema());
        schema["title"] = json!(T::NAME);
        registry.create_schema::<Self, _>(name.clone(), |_| carried(schema));
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn take(fields: &mut Fields, key: &str) -> Result<Self, Invalid> {
        fields.optional(key, T::parse)
    }
}

impl<D: Described + Serialize + Send + Sync> ResponseField for Option<Nested<D>> {
    const PRESENCE: Presence = Presence::Nullable;

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    /// Not a reference, because the component does not permit null.
    fn response_schema(registry: &mut Registry) -> Value {
        let mut schema = nullable(D::schema(registry));
        if let Some(object) = schema.as_object_mut() {
            object.remove("example");
        }
        schema
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(|nested| &nested.0).serialize(serializer)
    }
}

/// The schema with null. It must have a type, which a reference has not (OpenAPI 3.0.3, section 4.7.24.1).
fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = json!(true);
    schema
}

/// A field that is omitted from responses if it is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omittable<F>(pub Option<F>);

impl<F: ResponseField> ResponseField for Omittable<F> {
    const PRESENCE: Presence = Presence::Omitted;

    fn register(registry: &mut Registry) {
        F::register(registry);
    }

    fn response_schema(registry: &mut Registry) -> Value {
        F::response_schema(registry)
    }

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(field) => field.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// An array of at most `MAX` objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<D, const MAX: usize>(pub Vec<D>);

impl<D: Described + Serialize + Send + Sync, const MAX: usize> ResponseField for List<D, MAX> {
    const PRESENCE: Presence = Presence::Always;

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn response_schema(_registry: &mut Registry) -> Value {
        json!({ "type": "array", "maxItems": MAX, "items": D::reference() })
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A nested object.
pub struct Nested<D>(pub D);

impl<D: Described + Serialize + Send + Sync> ResponseField for Nested<D> {
    const PRESENCE: Presence = Presence::Always;

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn response_schema(_registry: &mut Registry) -> Value {
        D::reference()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
