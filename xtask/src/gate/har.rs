//! What other programs sent, from an HTTP archive (HAR 1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

use super::exchange::{Body, Exchange};
use crate::failure::{Failure, Result, Settle};

/// The exchanges of an archive. A request that was never answered is none.
pub fn parse(text: &str) -> Result<Vec<Exchange>> {
    let archive: Value = serde_json::from_str(text).or_fail("a HAR file")?;
    let entries = archive.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| Failure::told("a HAR file without /log/entries"))?;
    Ok(entries.iter().filter_map(exchange).collect())
}

fn exchange(entry: &Value) -> Option<Exchange> {
    let (request, response) = (&entry["request"], &entry["response"]);
    let url = Url::parse(request["url"].as_str()?).ok()?;
    let status = response["status"].as_u64().filter(|status| *status > 0)?;
    let headers = response["headers"].as_array().into_iter().flatten();
    let headers = headers.filter_map(|header| Some((header["name"].as_str()?, header["value"].as_str()?)));
    Some(Exchange::new(request["method"].as_str()?, url.path(), status, headers, body(&response["content"])))
}

fn body(content: &Value) -> Body {
    let text = content["text"].as_str().unwrap_or_default();
    let whole = match content["encoding"].as_str() {
        Some("base64") => STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        _ => Some(text.to_owned()),
    };
    match whole {
        Some(text) if !text.is_empty() => Body::Text(text),
        Some(_) if content["size"].as_i64().unwrap_or(0) <= 0 => Body::None,
        _ => Body::NotKept,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_archives_answers_are_read_and_what_was_never_answered_is_not() {
        let entry = |status: u16, content: Value| {
            json!({
                "request": { "method": "GET", "url": "http://127.0.0.1:8000/students/7?x=1" },
                "response": {
                    "status": status,
                    "headers": [{ "name": "Content-Type", "value": "application/json; charset=utf-8" }],
                    "content": content,
                },
            })
        };
        let entries = json!([
            entry(200, json!({ "size": 2, "text": "e30=", "encoding": "base64" })),
            entry(204, json!({ "size": 0 })),
            entry(200, json!({ "size": 9 })),
            entry(0, json!({ "size": 0 })),
        ]);
        let exchanges = parse(&json!({ "log": { "entries": entries } }).to_string()).unwrap();
        assert_eq!(exchanges.len(), 3);
        assert_eq!(
            (exchanges[0].path.as_str(), exchanges[0].media_type().as_str()),
            ("/students/7", "application/json")
        );
        let bodies: Vec<_> = exchanges.into_iter().map(|exchange| exchange.body).collect();
        assert_eq!(bodies, [Body::Text("{}".into()), Body::None, Body::NotKept]);
        assert!(parse("{}").is_err());
    }
}
