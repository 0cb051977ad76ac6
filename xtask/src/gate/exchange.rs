//! A recorded request with its response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

use crate::failure::{Failure, Result, Settle};

/// A recorded request with its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub status: u16,
    /// Names in lower case, and values, in order; a name may be repeated.
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    None,
    Text(String),
    /// Not recorded: it is too large, or not text.
    NotRecorded,
}

impl Exchange {
    /// Parses a line of a file that the tests record.
    pub fn parse(line: &str) -> Result<Self> {
        let exchange: Value = serde_json::from_str(line).or_fail("a recorded exchange")?;
        let texts = (exchange["method"].as_str(), exchange["path"].as_str(), exchange["status"].as_u64());
        let (Some(method), Some(path), Some(status)) = texts else {
            return Err(Failure::new("a recorded exchange lacks its method, its path or its status"));
        };
        let headers = exchange["headers"].as_array().into_iter().flatten();
        let headers = headers.filter_map(|header| Some((header[0].as_str()?, header[1].as_str()?)));
        let body = match (&exchange["body"], exchange["length"].as_u64()) {
            (_, Some(0)) => Body::None,
            (Value::String(text), _) => Body::Text(text.clone()),
            _ => Body::NotRecorded,
        };
        Ok(Self::new(method, path, status, headers, body))
    }

    pub fn new<'h>(
        method: &str,
        path: &str,
        status: u64,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        body: Body,
    ) -> Self {
        Self {
            method: method.to_owned(),
            path: path.split('?').next().unwrap_or_default().to_owned(),
            status: u16::try_from(status).unwrap_or(u16::MAX),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body,
        }
    }

    /// The response's media type in lower case, without parameters; empty if there is none.
    pub fn media_type(&self) -> String {
        let value = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Reads the exchanges in the events of schemathesis (`--report=ndjson`). Requests without a response are skipped.
pub fn of_schemathesis(events: &str) -> Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).or_fail("an event")?;
        let interactions = event.pointer("/ScenarioFinished/recorder/interactions").and_then(Value::as_object);
        exchanges.extend(interactions.into_iter().flatten().filter_map(|(_, it)| of_interaction(it)));
    }
    Ok(exchanges)
}

fn of_interaction(interaction: &Value) -> Option<Exchange> {
    let (request, response) = (&interaction["request"], &interaction["response"]);
    let url = Url::parse(request["uri"].as_str()?).ok()?;
    let headers = response["headers"].as_object().into_iter().flatten().flat_map(|(name, values)| {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.map(move |value| (name.as_str(), value))
    });
    let decoded = response["content"]["$base64"].as_str().map(|encoded| STANDARD.decode(encoded));
    let body = match decoded.map(|bytes| bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok())) {
        None => Body::None,
        Some(Some(text)) if text.is_empty() => Body::None,
        Some(Some(text)) => Body::Text(text),
        Some(None) => Body::NotRecorded,
    };
    Some(Exchange::new(request["method"].as_str()?, url.path(), response["status_code"].as_u64()?, headers, body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exchanges_of_all_scenarios_are_read() {
        let interaction = |status: u16, content: &str| {
            let headers = json!({ "Content-Type": ["application/json"], "link": ["a", "b"] });
            let response = json!({ "status_code": status, "headers": headers, "content": { "$base64": content } });
            let request = json!({ "method": "GET", "uri": "http://127.0.0.1:8000/students/7?x=1" });
            json!({ "request": request, "response": response })
        };
        let lost = json!({ "request": { "method": "GET", "uri": "http://127.0.0.1:8000/me" }, "response": null });
        let interactions = json!({ "a": interaction(200, "e30="), "b": interaction(204, ""), "c": lost });
        let scenario = json!({ "ScenarioFinished": { "recorder": { "interactions": interactions } } });
        let exchanges = of_schemathesis(&format!("{}\n{scenario}\n", json!({ "EngineStarted": {} }))).unwrap();
        assert_eq!(exchanges.len(), 2);
        assert_eq!((exchanges[0].path.as_str(), exchanges[0].headers.len()), ("/students/7", 3));
        assert_eq!(exchanges[0].body, Body::Text("{}".into()));
        assert_eq!(exchanges[1].body, Body::None);
        assert!(of_schemathesis("nonsense").is_err());
    }
}
