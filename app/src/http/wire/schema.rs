//! Schemas of the API document as JSON, and how they travel through poem-openapi's registry.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::{Value, json};

/// Marks a schema of the registry that carries another one.
const CARRIER: &str = "carried schema";
/// Where references to components point.
const COMPONENTS: &str = "#/components/schemas/";

/// A component of the API document.
pub trait Described: Sized + 'static {
    /// Name of the component.
    fn name() -> Cow<'static, str>;

    /// The schema; registers the components that it refers to.
    fn schema(registry: &mut Registry) -> Value;

    /// A reference to the component.
    fn reference() -> Value {
        json!({ "$ref": format!("{COMPONENTS}{}", Self::name()) })
    }

    /// The reference in poem-openapi's terms.
    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    /// Registers the component.
    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| carried(Self::schema(registry)));
    }
}

/// A registry's schema that carries `schema`, which poem-openapi's own type cannot express: it knows neither integral bounds
/// nor `additionalProperties: false` nor extensions. [`unpack`] takes it out of the finished document.
pub fn carried(schema: Value) -> MetaSchema {
    let mut references = Vec::new();
    collect_references(&schema, &mut references);
    // poem-openapi leaves out components that nothing refers to.
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

/// Replaces every carrier in a document by the schema that it carries.
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

/// The schema with a description; a reference takes none beside it in OpenAPI 3.0.
pub fn described(mut schema: Value, description: &str) -> Value {
    if schema.get("$ref").is_none() && !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}

/// The schema of a closed enumeration; `names` are what generators call the values.
pub fn enumeration(description: &str, values: &[&str], names: &[String]) -> Value {
    json!({ "type": "string", "description": description, "enum": values, "x-enum-varnames": names })
}
