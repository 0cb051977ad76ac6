//! Counts of one schemathesis run, read from its event file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde_json::Value;

use super::schemathesis::Outcome;
use crate::failure::{Result, Settle};

/// Counts of one run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Exchanges with the server.
    pub cases: usize,
    /// Number of 2xx responses by operation, for example `GET /students`.
    pub successes: BTreeMap<String, usize>,
    /// Distinct failures, one line each.
    pub failures: BTreeSet<String>,
}

impl Tally {
    /// Reads the events of a run. If schemathesis exited with an error, there is at least one failure.
    pub fn read(outcome: &Outcome) -> Result<Self> {
        let mut tally = Self::default();
        let events = File::open(&outcome.events).or_fail(outcome.events.display())?;
        for line in BufReader::new(events).lines() {
            let line = line.or_fail(outcome.events.display())?;
            tally.add_event(&serde_json::from_str(&line).or_fail(outcome.events.display())?);
        }
        if !outcome.passed && tally.failures.is_empty() {
            tally.failures.insert(format!("schemathesis failed: see {}", outcome.output.display()));
        }
        if tally.cases == 0 {
            tally.failures.insert("schemathesis sent no request".to_owned());
        }
        Ok(tally)
    }

    /// Number of 2xx responses.
    pub fn total_successes(&self) -> usize {
        self.successes.values().sum()
    }

    fn add_event(&mut self, event: &Value) {
        for error in ["NonFatalError", "FatalError"] {
            if let Some(error) = event.get(error) {
                let (label, value) = (one_line(&error["label"]), &error["value"]);
                self.failures.insert(format!("{label}: {}: {}", one_line(&value["type"]), one_line(&value["message"])));
            }
        }
        let recorder = &event["ScenarioFinished"]["recorder"];
        for (id, interaction) in recorder["interactions"].as_object().into_iter().flatten() {
            self.cases += 1;
            let case = &recorder["cases"][id]["value"];
            let status = interaction["response"]["status_code"].as_u64().unwrap_or_default();
            if (200..300).contains(&status) {
                let operation = format!("{} {}", one_line(&case["method"]), one_line(&case["path"]));
                *self.successes.entry(operation).or_default() += 1;
            }
        }
        for check in recorder["checks"].as_object().into_iter().flat_map(|checks| checks.values()) {
            for check in check.as_array().into_iter().flatten().filter(|check| check["status"] == "failure") {
                let failure = &check["failure_info"]["failure"];
                self.failures.insert(format!(
                    "{}: {}: {}: {}",
                    one_line(&failure["operation"]),
                    one_line(&check["name"]),
                    one_line(&failure["title"]),
                    one_line(&failure["message"])
                ));
            }
        }
    }
}

/// The text on one line, cut to 300 characters.
fn one_line(value: &Value) -> String {
    let line = value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn successes_count_by_operation_and_failures_once() {
        let case = |method: &str| json!({ "value": { "method": method, "path": "/students/{id}" } });
        let response = |status: u16| json!({ "response": { "status_code": status } });
        let failure = json!([{ "name": "not_a_server_error", "status": "failure", "failure_info": {
            "failure": { "operation": "GET /students/{id}", "title": "Server error", "message": "500\nreceived" } } },
            { "name": "unsupported_method", "status": "success" }]);
        let event = json!({ "ScenarioFinished": { "recorder": {
            "cases": { "a": case("GET"), "b": case("DELETE"), "c": case("GET"), "d": case("GET") },
            "interactions": { "a": response(200), "b": response(204), "c": response(500), "d": response(500) },
            "checks": { "c": failure, "d": failure },
        }}});
        let mut tally = Tally::default();
        tally.add_event(&event);
        tally.add_event(&json!({ "EngineFinished": {} }));
        assert_eq!((tally.cases, tally.total_successes()), (4, 2));
        assert_eq!(tally.successes["DELETE /students/{id}"], 1);
        let expected = "GET /students/{id}: not_a_server_error: Server error: 500 received";
        assert_eq!(tally.failures, BTreeSet::from([expected.to_owned()]));
        tally.add_event(&json!({ "NonFatalError": { "label": "GET /me", "value": { "type": "E", "message": "m" } } }));
        assert!(tally.failures.contains("GET /me: E: m"));
    }
}
