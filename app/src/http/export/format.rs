//! Formats of exports.

use std::io;

use poem_openapi::registry::Registry;
use serde::Serialize;
use serde_json::Value;

use crate::http::wire::Described;

/// Marks text as UTF-8, for spreadsheet programs.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// First characters of cells that spreadsheet programs run as formulas (OWASP, CSV Injection).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a header.
    Csv { for_spreadsheet: bool },
    /// One JSON document per line.
    Ndjson,
}

impl Format {
    /// Writes a batch of records; the first one after what precedes all records.
    pub fn write<D: Described + Serialize>(
        self,
        records: impl IntoIterator<Item = D>,
        is_first: bool,
    ) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        match self {
            Self::Csv { for_spreadsheet } => {
                if is_first && for_spreadsheet {
                    text.extend(BYTE_ORDER_MARK.bytes());
                }
                let mut writer = csv_writer(&mut text);
                if is_first {
                    let schema = D::schema(&mut Registry::new());
                    let properties = schema["properties"].as_object().into_iter().flatten();
                    writer.write_record(properties.map(|(name, _)| name))?;
                }
                for record in records {
                    let Value::Object(fields) = serde_json::to_value(record)? else { continue };
                    writer.write_record(fields.into_iter().map(|(_, value)| cell(value, for_spreadsheet)))?;
                }
                writer.flush()?;
            }
            Self::Ndjson => {
                for record in records {
                    serde_json::to_writer(&mut text, &record)?;
                    text.push(b'\n');
                }
            }
        }
        Ok(text)
    }
}

fn csv_writer(text: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(text)
}

/// The text of a value. Null is an empty cell.
fn cell(value: Value, for_spreadsheet: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if for_spreadsheet => without_formulas(&text),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Puts an apostrophe before each formula. A program whose separator is the semicolon splits cells at it.
fn without_formulas(text: &str) -> String {
    let mut cells = String::with_capacity(text.len() + 1);
    for (number, cell) in text.split(';').enumerate() {
        cells.push_str(if number > 0 { ";" } else { "" });
        cells.push_str(if cell.starts_with(FORMULA) { "'" } else { "" });
        cells.push_str(cell);
    }
    cells
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_neutralized() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"] {
            assert_eq!(cell(json!(text), true), format!("'{text}"));
            assert_eq!(cell(json!(text), false), text);
        }
        assert_eq!(cell(json!("=a;b;-c;"), true), "'=a;b;'-c;");
        for text in ["a=1", " =1", "'=1", "", "a;b"] {
            assert_eq!(cell(json!(text), true), text);
        }
        assert_eq!((cell(json!(-7), true), cell(Value::Null, true)), ("-7".to_owned(), String::new()));
    }
}
