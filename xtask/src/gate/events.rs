//! What schemathesis sent, from the events that it writes (`--report=ndjson`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

use super::exchange::{Body, Exchange};
use crate::failure::{Result, Settle};

/// The exchanges of a run. A request that was never answered is none.
pub fn parse(text: &str) -> Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).or_fail("an event")?;
        let interactions = event.pointer("/ScenarioFinished/recorder/interactions").and_then(Value::as_object);
        exchanges.extend(interactions.into_iter().flatten().filter_map(|(_, interaction)| exchange(interaction)));
    }
    Ok(exchanges)
}

fn exchange(interaction: &Value) -> Option<Exchange> {
    let (request, response) = (&interaction["request"], &interaction["response"]);
    let url = Url::parse(request["uri"].as_str()?).ok()?;
    let headers = response["headers"].as_object().into_iter().flatten().flat_map(|(name, values)| {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.map(move |value| (name.as_str(), value))
    });
    let body = body(&response["content"]["$base64"]);
    Some(Exchange::new(request["method"].as_str()?, url.path(), response["status_code"].as_u64()?, headers, body))
}

fn body(encoded: &Value) -> Body {
    let Some(encoded) = encoded.as_str() else { return Body::None };
    match STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) if text.is_empty() => Body::None,
        Some(text) => Body::Text(text),
        None => Body::NotKept,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_answers_of_every_scenario_are_read() {
        let answered = |status: u16, content: &str| {
            json!({
                "request": { "method": "GET", "uri": "http://127.0.0.1:8000/students/7?x=1" },
                "response": {
                    "status_code": status,
                    "headers": { "Content-Type": ["application/json"], "link": ["a", "b"] },
                    "content": { "$base64": content },
                },
            })
        };
        let lost = json!({ "request": { "method": "GET", "uri": "http://127.0.0.1:8000/me" }, "response": null });
        let interactions = json!({ "a": answered(200, "e30="), "b": answered(204, ""), "c": lost });
        let scenario = json!({ "ScenarioFinished": { "recorder": { "interactions": interactions } } });
        let exchanges = parse(&format!("{}\n{scenario}\n", json!({ "EngineStarted": {} }))).unwrap();
        assert_eq!(exchanges.len(), 2);
        assert_eq!((exchanges[0].path.as_str(), exchanges[0].headers.len()), ("/students/7", 3));
        assert_eq!(exchanges[0].body, Body::Text("{}".into()));
        assert_eq!(exchanges[1].body, Body::None);
        assert!(parse("nonsense").is_err());
    }
}
