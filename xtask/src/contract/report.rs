//! Results of the runs of schemathesis, read from its events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::schemathesis::Outcome;
use super::{Plan, ROLES};
use crate::document::{Document, Role};
use crate::failure::{Result, Settle, one_line};

/// Maximum length of a message in the report, in characters.
const MAX_MESSAGE: usize = 300;

/// Totals of all runs.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of exchanges.
    cases: usize,
    /// Number of 2xx responses by operation and role.
    successes: BTreeMap<(String, Role), usize>,
    /// Failures of each run, each once.
    failures: BTreeSet<String>,
}

impl Report {
    /// Adds a run, and returns a summary of it.
    pub fn add(&mut self, plan: Plan, outcome: &Outcome, document: &Document) -> Result<String> {
        let events = fs::read_to_string(&outcome.events)
            .or_fail(format_args!("schemathesis wrote no events: see {}", outcome.output.display()))?;
        let events: Result<Vec<Value>, _> = events.lines().map(serde_json::from_str).collect();
        let mut run = Self::default();
        run.read(plan, &events.or_fail(outcome.events.display())?, document);
        if !outcome.passed && run.failures.is_empty() {
            run.failures.insert(format!("{}: schemathesis failed: see {}", plan.name(), outcome.output.display()));
        }
        let summary = format!("{} cases, {} with a 2xx response, {} failures", run.cases, run.total(), run.failed());
        self.cases += run.cases;
        self.failures.append(&mut run.failures);
        for (operation, count) in run.successes {
            *self.successes.entry(operation).or_default() += count;
        }
        Ok(summary)
    }

    /// A permitted operation without a 2xx response is a failure: most checks also pass on a 403.
    fn read(&mut self, plan: Plan, events: &[Value], document: &Document) {
        let mut failures = BTreeSet::new();
        for event in events {
            for error in ["NonFatalError", "FatalError"].iter().filter_map(|kind| event.get(kind)) {
                failures.insert(message([&error["label"], &error["value"]["type"], &error["value"]["message"]]));
            }
            let recorder = &event["ScenarioFinished"]["recorder"];
            for (id, interaction) in recorder["interactions"].as_object().into_iter().flatten() {
                self.cases += 1;
                let case = &recorder["cases"][id]["value"];
                if interaction["response"]["status_code"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
                    let [method, path] = ["method", "path"].map(|key| case[key].as_str().unwrap_or_default());
                    *self.successes.entry((format!("{method} {path}"), plan.role)).or_default() += 1;
                }
            }
            let checks = recorder["checks"].as_object().into_iter().flat_map(|checks| checks.values());
            let checks = checks.filter_map(Value::as_array).flatten();
            for check in checks.filter(|check| check["status"] == "failure") {
                let failure = &check["failure_info"]["failure"];
                failures.insert(message([
                    &failure["operation"],
                    &check["name"],
                    &failure["title"],
                    &failure["message"],
                ]));
            }
        }
        for operation in document.operations.iter().filter(|operation| operation.least_role() <= plan.role) {
            if !self.successes.contains_key(&(operation.name(), plan.role)) {
                failures.insert(format!("{}: no 2xx response", operation.name()));
            }
        }
        self.failures.extend(failures.iter().map(|failure| format!("{}: {failure}", plan.name())));
    }

    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    fn total(&self) -> usize {
        self.successes.values().sum()
    }

    /// Prints the report to standard output.
    pub fn print(&self, document: &Document) {
        println!("\n{:<36}{}", "2xx responses", ROLES.map(|role| format!("{role:>11}")).concat());
        for operation in &document.operations {
            let cells = ROLES.map(|role| match self.successes.get(&(operation.name(), role)) {
                Some(count) => format!("{count:>11}"),
                None => format!("{:>11}", if operation.least_role() <= role { "0" } else { "-" }),
            });
            println!("{:<36}{}", operation.name(), cells.concat());
        }
        println!("\n{} cases, {} with a 2xx response", self.cases, self.total());
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.cases.saturating_sub(self.failed()), self.failed());
    }
}

/// The texts on one line, each cut to [`MAX_MESSAGE`].
fn message<const N: usize>(parts: [&Value; N]) -> String {
    let cut = |part: &Value| one_line(part.as_str().unwrap_or_default()).chars().take(MAX_MESSAGE).collect::<String>();
    parts.map(cut).join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::Store;

    #[test]
    fn failed_checks_and_missing_successes_are_failures() {
        let operation = |role: &str| json!({ "responses": {}, "security": [{}], "x-required-role": role });
        let document = Document::of(&json!({ "openapi": "3.0.3", "paths": {
            "/me": { "get": operation("viewer") },
            "/logout": { "post": operation("viewer") },
            "/users": { "get": operation("admin") },
        } }));
        let case = json!({ "value": { "method": "GET", "path": "/me" } });
        let response = |status: u16| json!({ "response": { "status_code": status } });
        let failure = json!([{ "name": "not_a_server_error", "status": "failure", "failure_info": {
            "failure": { "operation": "GET /me", "title": "Server error", "message": "500\nreceived" } } },
            { "name": "unsupported_method", "status": "success" }]);
        let event = json!({ "ScenarioFinished": { "recorder": {
            "cases": { "a": case, "b": case, "c": case },
            "interactions": { "a": response(200), "b": response(500), "c": response(500) },
            "checks": { "b": failure, "c": failure },
        }}});
        let error = json!({ "FatalError": { "label": "GET /me", "value": { "type": "E", "message": "m" } } });
        let mut report = Report::default();
        let plan = Plan { store: Store::Sqlite, role: Role::Viewer, seed: 3 };
        report.read(plan, &[event, error, json!({ "EngineFinished": {} })], &document.unwrap());
        assert_eq!((report.cases, report.total()), (3, 1));
        let expected = [
            "sqlite-viewer-3: GET /me: E: m",
            "sqlite-viewer-3: GET /me: not_a_server_error: Server error: 500 received",
            "sqlite-viewer-3: POST /logout: no 2xx response",
        ];
        assert!(report.failures.iter().eq(&expected), "{:#?}", report.failures);
    }
}
