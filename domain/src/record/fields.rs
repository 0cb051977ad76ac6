//! Macro that declares the fields of a resource and its patch.

/// Declares the struct of a resource, and a patch in which `None` leaves a field unchanged. A patch that is converted from a
/// resource sets every field.
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

        #[doc = concat!("Partial update of a [`", stringify!($resource), "`].")]
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
