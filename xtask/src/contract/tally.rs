//! What a run of schemathesis came to, read from the events it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde_json::Value;

use super::schemathesis::Outcome;
use crate::failure::{Result, Settle};

/// The counts of one run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Exchanges with the server.
    pub cases: usize,
    /// How often an operation answered 2xx, as `GET /students`.
    pub good: BTreeMap<String, usize>,
    /// What was found wrong, each once, in one line.
    pub failures: BTreeSet<String>,
}

impl Tally {
    /// Reads the events of a run. A run that is not content with itself has one failure at least.
    pub fn read(outcome: &Outcome) -> Result<Self> {
        let mut tally = Self::default();
        let events = File::open(&outcome.events).or_fail(outcome.events.display())?;
        for line in BufReader::new(events).lines() {
            let line = line.or_fail(outcome.events.display())?;
            tally.take(&serde_json::from_str(&line).or_fail(outcome.events.display())?);
        }
        if !outcome.passed && tally.failures.is_empty() {
            tally.failures.insert(format!("schemathesis failed: see {}", outcome.output.display()));
        }
        if tally.cases == 0 {
            tally.failures.insert("schemathesis asked nothing".to_owned());
        }
        Ok(tally)
    }

    /// All answers of 2xx.
    pub fn successes(&self) -> usize {
        self.good.values().sum()
    }

    fn take(&mut self, event: &Value) {
        for error in ["NonFatalError", "FatalError"] {
            if let Some(error) = event.get(error) {
                let (label, value) = (words(&error["label"]), &error["value"]);
                self.failures.insert(format!("{label}: {}: {}", words(&value["type"]), words(&value["message"])));
            }
        }
        let recorder = &event["ScenarioFinished"]["recorder"];
        for (id, interaction) in recorder["interactions"].as_object().into_iter().flatten() {
            self.cases += 1;
            let case = &recorder["cases"][id]["value"];
            let status = interaction["response"]["status_code"].as_u64().unwrap_or_default();
            if (200..300).contains(&status) {
                let operation = format!("{} {}", words(&case["method"]), words(&case["path"]));
                *self.good.entry(operation).or_default() += 1;
            }
        }
        for check in recorder["checks"].as_object().into_iter().flat_map(|checks| checks.values()) {
            for check in check.as_array().into_iter().flatten().filter(|check| check["status"] == "failure") {
                let failure = &check["failure_info"]["failure"];
                self.failures.insert(format!(
                    "{}: {}: {}: {}",
                    words(&failure["operation"]),
                    words(&check["name"]),
                    words(&failure["title"]),
                    words(&failure["message"])
                ));
            }
        }
    }
}

/// A text on one line, no longer than is read.
fn words(value: &Value) -> String {
    let line = value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_of_2xx_are_counted_by_operation_and_a_failure_once() {
        let case = |method: &str| json!({ "value": { "method": method, "path": "/students/{id}" } });
        let answer = |status: u16| json!({ "response": { "status_code": status } });
        let failure = json!([{ "name": "not_a_server_error", "status": "failure", "failure_info": {
            "failure": { "operation": "GET /students/{id}", "title": "Server error", "message": "500\nreceived" } } },
            { "name": "unsupported_method", "status": "success" }]);
        let event = json!({ "ScenarioFinished": { "recorder": {
            "cases": { "a": case("GET"), "b": case("DELETE"), "c": case("GET"), "d": case("GET") },
            "interactions": { "a": answer(200), "b": answer(204), "c": answer(500), "d": answer(500) },
            "checks": { "c": failure, "d": failure },
        }}});
        let mut tally = Tally::default();
        tally.take(&event);
        tally.take(&json!({ "EngineFinished": {} }));
        assert_eq!((tally.cases, tally.successes()), (4, 2));
        assert_eq!(tally.good["DELETE /students/{id}"], 1);
        let expected = "GET /students/{id}: not_a_server_error: Server error: 500 received";
        assert_eq!(tally.failures, BTreeSet::from([expected.to_owned()]));
        tally.take(&json!({ "NonFatalError": { "label": "GET /me", "value": { "type": "E", "message": "why" } } }));
        assert!(tally.failures.contains("GET /me: E: why"));
    }
}
