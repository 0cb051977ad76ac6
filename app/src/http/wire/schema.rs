//! JSON schemas of the API document, and their transport through poem-openapi's registry.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::{Value, json};

/// Title that marks a registry schema as the carrier of a JSON schema.
const CARRIER: &str = "carried schema";
/// Prefix of references to components.
const COMPONENTS: &str = "#/components/schemas/";

/// A component of the API document.
pub trait Described: Sized + 'static {
    /// Name of the component.
    fn name() -> Cow<'static, str>;

    /// Schema of the component. Registers the components that it references.
    fn schema(registry: &mut Registry) -> Value;

    /// A reference to the component.
    fn reference() -> Value {
        json!({ "$ref": format!("{COMPONENTS}{}", Self::name()) })
    }

    /// The reference as poem-openapi's type.
    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    /// Registers the component.
    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| carried(Self::schema(registry)));
    }
}

/// Wraps a JSON schema in a registry schema, because poem-openapi's type has no integral bounds, no
/// `additionalProperties: false` and no extensions. [`unpack`] replaces the carrier in the finished document.
pub fn carried(schema: Value) -> MetaSchema {
    let mut references = Vec::new();
    collect_references(&schema, &mut references);
    // poem-openapi omits components without references.
    MetaSchema { title: Some(CARRIER.to_owned()), any_of: references, default: Some(schema), ..MetaSchema::ANY }
}

fn collect_references(schema: &Value, references: &mut Vec<MetaSchemaRef>) {
    match schema {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix(COMPONENTS));
            references.extend(reference.map(|name| MetaSchemaRef::Reference(name.to_owned())));
            object.values().for_each(|value| collect_references(value, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        _ => {}
    }
}

/// Replaces every carrier in a document by its JSON schema.
pub fn unpack(document: &mut Value) {
    if document["title"] == CARRIER {
        let schema = document["default"].take();
        *document = schema;
    }
    match document {
        Value::Object(object) => object.values_mut().for_each(unpack),
        Value::Array(items) => items.iter_mut().for_each(unpack),
        _ => {}
    }
}

/// Adds a description to a schema, except to a reference: OpenAPI 3.0 allows no siblings of `$ref`.
pub fn described(mut schema: Value, description: &str) -> Value {
    if schema.get("$ref").is_none() && !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}

/// Schema of a closed enumeration. `names` are the variant names for client generators.
pub fn enumeration(description: &str, values: &[&str], names: &[String]) -> Value {
    json!({ "type": "string", "description": description, "enum": values, "x-enum-varnames": names })
}
