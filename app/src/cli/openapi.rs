//! `rollbook openapi`: prints the OpenAPI document.

use super::arguments::{DocumentFormat, Openapi};
use super::failure::Failure;
use super::output;
use crate::http::document;

/// Prints the OpenAPI document.
pub fn run(openapi: &Openapi) -> Result<(), Failure> {
    let text = match openapi.format {
        DocumentFormat::Yaml => document::yaml(),
        DocumentFormat::Json => document::json(),
        DocumentFormat::Yaml31 => document::yaml_3_1(),
    };
    output::all(text.as_bytes())
}
