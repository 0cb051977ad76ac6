//! Objects: schema, writer and parser derive from one list of fields.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::ResponseField;
use super::schema::described;

/// Property of an object schema.
pub struct Property {
    pub name: &'static str,
    pub description: String,
    pub schema: Value,
    pub is_required: bool,
    pub example: Value,
}

impl Property {
    /// An optional response property without an example.
    pub fn new(name: &'static str, description: &str, schema: Value) -> Self {
        Self { name, description: description.to_owned(), schema, is_required: false, example: Value::Null }
    }
}

/// Joins doc comment lines to one text.
pub fn description(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Schema of an object. If `is_strict`, additional properties are not allowed.
pub fn object_schema(description: &str, properties: Vec<Property>, is_strict: bool) -> Value {
    let required: Vec<_> = properties.iter().filter(|property| property.is_required).map(|it| it.name).collect();
    let mut example = Map::new();
    let mut schemas = Map::new();
    for Property { name, description, schema, example: value, .. } in properties {
        // In the example, a field without an example value is null if it is nullable, otherwise omitted.
        if !value.is_null() || schema["nullable"] == true {
            example.insert(name.to_owned(), value);
        }
        schemas.insert(name.to_owned(), described(schema, &description));
    }
    let mut schema = json!({ "type": "object", "description": description, "properties": schemas });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if is_strict {
        schema["additionalProperties"] = json!(false);
    }
    if !example.is_empty() {
        schema["example"] = Value::Object(example);
    }
    schema
}

/// Adapter that serializes a field with serde.
pub struct Written<'a, F>(pub &'a F);

impl<F: ResponseField> Serialize for Written<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// JSON key of a field: the field name unless a literal is given.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}
pub(crate) use key;

/// Implements [`Described`](super::Described) for an object with these fields.
macro_rules! described_object {
    ($type:ty, $name:literal, [$($doc:literal),+], $is_strict:expr, $trait:ident::$schema:ident, $required:expr, {
        $($(#[doc = $field_doc:literal])* $field:ident $($key:literal)?: $kind:ty = $example:expr,)+
    }) => {
        impl $crate::http::wire::Described for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schema(registry: &mut poem_openapi::registry::Registry) -> serde_json::Value {
                let properties = vec![$({
                    <$kind as $crate::http::wire::ResponseField>::register(registry);
                    $crate::http::wire::Property {
                        name: $crate::http::wire::object::key!($field $($key)?),
                        description: $crate::http::wire::description(&[$($field_doc),*]),
                        schema: <$kind as $crate::http::wire::$trait>::$schema(registry),
                        is_required: $required(<$kind as $crate::http::wire::ResponseField>::PRESENCE),
                        example: serde_json::json!($example),
                    }
                },)+];
                let description = $crate::http::wire::description(&[$($doc),+]);
                $crate::http::wire::object_schema(&description, properties, $is_strict)
            }
        }
    };
}
pub(crate) use described_object;

/// Serializes the fields of `$from` as entries of a serde map.
macro_rules! write_fields {
    ($map:ident, $from:expr, { $($field:ident $($key:literal)?,)+ }) => {
        $(if !$crate::http::wire::ResponseField::is_absent(&$from.$field) {
            let written = $crate::http::wire::object::Written(&$from.$field);
            serde::ser::SerializeMap::serialize_entry(
                &mut $map,
                $crate::http::wire::object::key!($field $($key)?),
                &written,
            )?;
        })+
    };
}
pub(crate) use write_fields;

/// Defines an object in responses: `/// Doc` `struct Type as "Name" { /// Doc` `field: Kind = example, }`.
macro_rules! response {
    (
        $(#[doc = $doc:literal])+
        $(#[derive($($derive:ident),+)])?
        $visibility:vis struct $type:ident as $name:literal {
            $($(#[doc = $field_doc:literal])* $field:ident $(as $key:literal)?: $kind:ty = $example:expr,)+
        }
    ) => {
        $(#[doc = $doc])+
        $(#[derive($($derive),+)])?
        $visibility struct $type {
            $($(#[doc = $field_doc])* pub $field: $kind,)+
        }

        $crate::http::wire::object::described_object! {
            $type, $name, [$($doc),+], false, ResponseField::response_schema, $crate::http::wire::Presence::is_always_sent, {
                $($(#[doc = $field_doc])* $field $($key)?: $kind = $example,)+
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $crate::http::wire::object::write_fields!(map, self, { $($field $($key)?,)+ });
                serde::ser::SerializeMap::end(map)
            }
        }
    };
}
pub(crate) use response;

/// Defines a record in responses: id, fields, entity tag and timestamps.
macro_rules! record {
    (
        $(#[doc = $doc:literal])+
        $resource:ident as $type:ident $name:literal in $collection:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $kind:ty = $example:expr,)+
        }
    ) => {
        $(#[doc = $doc])+
        pub struct $type(domain::record::Record<$resource>);

        impl From<domain::record::Record<$resource>> for $type {
            fn from(record: domain::record::Record<$resource>) -> Self {
                Self(record)
            }
        }

        impl $crate::http::response::InCollection for $type {
            const COLLECTION: &'static str = $collection;
        }

        $crate::http::wire::object::described_object! {
            $type, $name, [$($doc),+], false, ResponseField::response_schema, $crate::http::wire::Presence::is_always_sent, {
                /// Permanent identifier, never reused.
                id: domain::Id<<$resource as domain::record::Resource>::Kind> = 26,
                $($(#[doc = $field_doc])* $field: $kind = $example,)+
                /// Entity tag of this version, for `If-Match` and `If-None-Match`.
                etag: String =
                    format!("\"{}-26-1\"", <<$resource as domain::record::Resource>::Kind as domain::Kind>::NAME),
                /// Time of creation.
                created_at: time::OffsetDateTime = "2026-11-23T12:00:00Z",
                /// Time of the last change.
                updated_at: time::OffsetDateTime = "2026-11-23T12:00:00Z",
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $crate::http::wire::object::write_fields!(map, self.0, { id, });
                $crate::http::wire::object::write_fields!(map, self.0.fields, { $($field,)+ });
                let etag = $crate::http::conditional::EntityTag::of(&self.0);
                serde::ser::SerializeMap::serialize_entry(&mut map, "etag", &etag)?;
                $crate::http::wire::object::write_fields!(map, self.0, { created_at, updated_at, });
                serde::ser::SerializeMap::end(map)
            }
        }
    };
}
pub(crate) use record;

/// Defines a request body that is parsed into `$parsed`; `$take` is a method of [`Fields`](crate::http::request::Fields).
macro_rules! body {
    (
        [$($doc:literal),+] $type:ident as $name:literal => $parsed:ident, $rules:expr,
        $schema:ident, $required:expr, $take:ident, [$($rest:tt)*], {
            $($(#[doc = $field_doc:literal])* $field:ident $($key:literal)?: $kind:ty = $example:expr,)+
        }
    ) => {
        $(#[doc = $doc])+
        pub struct $type;

        $crate::http::wire::object::described_object! {
            $type, $name, [$($doc),+], !$rules.ignores_unknown, WireField::$schema, $required, {
                $($(#[doc = $field_doc])* $field $($key)?: $kind = $example,)+
            }
        }

        impl $crate::http::request::Content for $type {
            type Parsed = $parsed;
            type Context = ();

            const RULES: $crate::http::request::BodyRules = $rules;

            fn parse(
                fields: &mut $crate::http::request::Fields,
                (): &(),
            ) -> Result<$parsed, $crate::http::request::Invalid> {
                $(let $field = fields.$take::<$kind>($crate::http::wire::object::key!($field $($key)?));)+
                #[allow(clippy::needless_update, reason = "some domain patches have fields that are not on the wire")]
                Ok($parsed { $($field: $field?,)+ $($rest)* })
            }
        }
    };
}
pub(crate) use body;

/// Defines a request body that is parsed into `$parsed`. `[field: value]` sets fields that are not in the body.
macro_rules! input {
    (
        $(#[doc = $doc:literal])+
        $type:ident as $name:literal => $parsed:ident, $rules:expr, {
            $($(#[doc = $field_doc:literal])* $field:ident $(as $key:literal)?: $kind:ty = $example:expr,)+
        } $(, [$($rest:tt)*])?
    ) => {
        $crate::http::wire::object::body! {
            [$($doc),+] $type as $name => $parsed, $rules,
            request_schema, $crate::http::wire::Presence::is_required, take, [$($($rest)*)?], {
                $($(#[doc = $field_doc])* $field $($key)?: $kind = $example,)+
            }
        }
    };
}
pub(crate) use input;

/// Defines a JSON Merge Patch (RFC 7396) that is parsed into `$parsed`. Every field is optional.
macro_rules! patch {
    (
        $(#[doc = $doc:literal])+
        $type:ident as $name:literal => $parsed:ident, $rules:expr, {
            $($(#[doc = $field_doc:literal])* $field:ident $(as $key:literal)?: $kind:ty = $example:expr,)+
        }
    ) => {
        $crate::http::wire::object::body! {
            [$($doc),+] $type as $name => $parsed, $rules, patch_schema, |_| false, change, [..$parsed::default()], {
                $($(#[doc = $field_doc])* $field $($key)?: $kind = $example,)+
            }
        }
    };
}
pub(crate) use patch;

/// Defines response, input and patch of a resource with the same fields.
macro_rules! wire {
    (
        $(#[doc = $doc:literal])+
        $resource:ident as $document:ident $name:literal, $input:ident $input_name:literal,
        $patch_input:ident $patch_name:literal => $patch:ident, in $collection:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $kind:ty = $example:expr,)+
        }
    ) => {
        $crate::http::wire::record! {
            $(#[doc = $doc])+
            $resource as $document $name in $collection {
                $($(#[doc = $field_doc])* $field: $kind = $example,)+
            }
        }

        $crate::http::wire::input! {
            $(#[doc = $doc])+
            $input as $input_name => $resource, $crate::http::request::BodyRules::JSON, {
                $($(#[doc = $field_doc])* $field: $kind = $example,)+
            }
        }

        $crate::http::wire::patch! {
            /// Fields to change. Absent fields remain unchanged; null clears an optional field.
            $patch_input as $patch_name => $patch, $crate::http::request::BodyRules::MERGE_PATCH, {
                $($(#[doc = $field_doc])* $field: $kind = $example,)+
            }
        }
    };
}
pub(crate) use wire;

#[cfg(test)]
mod tests {
    use poem_openapi::registry::Registry;

    use crate::http::request::BodyRules;
    use crate::http::wire::{Described as _, Int, text_value};

    pub struct HouseName(String);

    text_value!(HouseName {}, |text| Ok::<_, &str>(HouseName(text)), |name: &HouseName| name.0.clone());

    pub struct House {
        name: HouseName,
        age: Int<0, 9>,
    }

    input! {
        /// A house, with the same property names as a student.
        HouseInput as "HouseInput" => House, BodyRules::JSON, {
            name: HouseName = "Blue",
            age: Int<0, 9> = 3,
        }
    }

    #[test]
    fn property_named_name_has_no_implicit_pattern() {
        let schema = HouseInput::schema(&mut Registry::new());
        assert_eq!(schema["properties"]["name"], serde_json::json!({ "type": "string" }));
        assert_eq!(schema["properties"]["age"]["maximum"], 9);
        assert_eq!(schema["required"], serde_json::json!(["name", "age"]));
        let house = House { name: HouseName("Blue".to_owned()), age: Int(3) };
        assert_eq!((house.name.0.as_str(), house.age.0), ("Blue", 3));
    }
}
