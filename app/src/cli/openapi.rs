//! `rollbook openapi`

use std::io::{self, Write};

use super::arguments::{DocumentFormat, Openapi};
use super::failure::Failure;
use crate::http::document;

/// Prints the API document.
pub fn run(openapi: &Openapi) -> Result<(), Failure> {
    let text = match openapi.format {
        DocumentFormat::Yaml => document::yaml(),
        DocumentFormat::Json => document::json(),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads may stop reading.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
