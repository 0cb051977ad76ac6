//! The OpenAPI document: poem-openapi's, completed by a pass that adds what the library does not support.

mod operations;
mod pass;
mod rendition_3_1;

use std::sync::LazyLock;

use poem_openapi::{ContactObject, LicenseObject, OpenApiService, ServerObject};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use operations::{Found, Operation, Operations};

use super::operations::{API, Api};

const DESCRIPTION: &str = "\
A student registry: log in, get a JSON Web Token, and manage student records.

Log in with `POST /login`, and send the token with every other request: `Authorization: Bearer <token>`. \
Every error is a problem document (RFC 9457); its `type` links to a page that explains it.

The operations on `/student` are for legacy clients; new clients use `/students`.";

/// The routes of the operations, with poem-openapi's document of them.
pub fn service() -> OpenApiService<Api, ()> {
    OpenApiService::new(API, "Rollbook", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .contact(ContactObject::new().name("The administrator of this installation"))
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://spdx.org/licenses/MIT.html"))
        .server(ServerObject::new("/").description("The server of this document."))
}

#[expect(clippy::expect_used, reason = "fails at start only, after a mistake in the code that every test detects")]
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = serde_json::from_str(&service().spec()).expect("poem-openapi writes JSON");
    pass::complete(document).expect("operations are declared without mistakes")
});

/// The document as a JSON value.
pub fn tree() -> &'static Value {
    &DOCUMENT
}

/// The document as JSON.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", tree()));
    &JSON
}

/// The document as YAML: the content of `openapi.yaml` in the repository.
#[expect(clippy::expect_used, reason = "every JSON value can be written as YAML")]
pub fn yaml() -> &'static str {
    static YAML: LazyLock<String> = LazyLock::new(|| to_yaml(tree()).expect("JSON is YAML"));
    &YAML
}

/// The document as OpenAPI 3.1, as a JSON value.
pub fn tree_3_1() -> &'static Value {
    static TREE: LazyLock<Value> = LazyLock::new(|| rendition_3_1::convert(tree()));
    &TREE
}

/// The document as OpenAPI 3.1, in YAML.
#[expect(clippy::expect_used, reason = "every JSON value can be written as YAML")]
pub fn yaml_3_1() -> &'static str {
    static YAML: LazyLock<String> = LazyLock::new(|| to_yaml(tree_3_1()).expect("JSON is YAML"));
    &YAML
}

/// Writes YAML with quoted dates: parsers of YAML 1.1 would read plain ones as timestamps.
fn to_yaml(tree: &Value) -> yaml_serde::Result<String> {
    let plain = yaml_serde::to_string(tree)?;
    let lines = plain.split_inclusive('\n').map(|line| {
        let (key, value) = line.trim_end().rsplit_once(' ').unwrap_or(("", line));
        let is_date = OffsetDateTime::parse(value, &Rfc3339).is_ok();
        if is_date { format!("{key} '{value}'\n") } else { line.to_owned() }
    });
    Ok(lines.collect())
}
