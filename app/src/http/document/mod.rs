//! The API document: poem-openapi's, then one pass over it as data for what that cannot say.

mod operations;
mod pass;

use std::sync::LazyLock;

use poem_openapi::{LicenseObject, OpenApiService, ServerObject};
use serde_json::Value;

pub use operations::{Operation, Operations, PathItem};

use super::operations::{API, Api};

const DESCRIPTION: &str = "\
A student registry: log in, get a JSON Web Token, and read and keep the roll.

Log in with `POST /login`, and send the token with every other request: `Authorization: Bearer <token>`. \
Every error is a problem document (RFC 9457); its `type` points at a page that explains it.

The operations on `/student` are those of the articles that this service takes over from; new clients use \
`/students`.";

/// The operations as routes, and as poem-openapi documents them.
pub fn service() -> OpenApiService<Api, ()> {
    OpenApiService::new(API, "Rollbook", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://spdx.org/licenses/MIT.html"))
        .server(ServerObject::new("/").description("Wherever this document comes from."))
}

#[expect(clippy::expect_used, reason = "at start, and only where the library writes no JSON")]
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = serde_json::from_str(&service().spec()).expect("poem-openapi writes JSON");
    pass::completed(document)
});

/// The document as a tree.
pub fn tree() -> &'static Value {
    &DOCUMENT
}

/// The document as JSON.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", tree()));
    &JSON
}

/// The document as YAML: what stands in the repository as `openapi.yaml`.
#[expect(clippy::expect_used, reason = "a tree of JSON can always be written as YAML")]
pub fn yaml() -> &'static str {
    static YAML: LazyLock<String> = LazyLock::new(|| serde_yaml::to_string(tree()).expect("JSON is YAML"));
    &YAML
}
