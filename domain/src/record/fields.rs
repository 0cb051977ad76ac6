//! One list of fields for a resource and its patch.

/// Declares a resource's struct, and a patch in which each field is optional: `None` leaves a field as it is. The patch is
/// made from a whole resource, too, and then sets every field.
macro_rules! fields {
    (
        $(#[$doc:meta])*
        pub struct $resource:ident, $patch:ident {
            $($(#[$field_doc:meta])* pub $field:ident: $kind:ty,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $resource {
            $($(#[$field_doc])* pub $field: $kind,)+
        }

        #[doc = concat!("A change to some fields of a [`", stringify!($resource), "`].")]
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $patch {
            $($(#[$field_doc])* pub $field: Option<$kind>,)+
        }

        impl From<$resource> for $patch {
            fn from(fields: $resource) -> Self {
                Self { $($field: Some(fields.$field),)+ }
            }
        }

        impl $crate::record::Patch for $patch {
            fn detail(&self) -> Option<String> {
                let set = [$(self.$field.is_some().then_some(stringify!($field)),)+];
                let names: Vec<_> = set.into_iter().flatten().collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
        }
    };
}
pub(crate) use fields;
