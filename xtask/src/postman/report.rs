//! What newman says of a run: in numbers, and each failure in one line.

use std::fmt;

use serde_json::Value;

/// The first few failures represent a page of records that all lack the same field.
const LONGEST: usize = 200;

/// A run of the collection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub requests: usize,
    pub assertions: usize,
    /// What went wrong, one line each.
    pub failures: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, assertions, failures } = self;
        write!(formatter, "{requests} requests, {assertions} assertions, {} failed", failures.len())
    }
}

impl Report {
    /// Reads newman's report of `requests` requests. One that was not made, and one of whose answer nothing was
    /// asserted, is a failure too.
    pub fn of(newman: &Value, requests: usize) -> Self {
        let run = &newman["run"];
        let mut failures: Vec<_> = list(&run["failures"]).map(described).collect();
        let mut found = Self::default();
        for execution in list(&run["executions"]) {
            let assertions = list(&execution["assertions"]).count();
            found.requests += 1;
            found.assertions += assertions;
            if assertions == 0 {
                failures.push(format!("{}: nothing was asserted of the answer", text(&execution["item"]["name"])));
            }
        }
        if found.requests != requests || requests == 0 {
            failures.push(format!("{} requests were made in place of {requests}", found.requests));
        }
        Self { failures, ..found }
    }
}

fn described(failure: &Value) -> String {
    let error = &failure["error"];
    let line = format!("{}: {}: {}", text(&failure["source"]["name"]), text(&error["test"]), text(&error["message"]));
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(assertions: &Value, failures: &Value, requests: usize) -> Report {
        let executions = json!([{ "item": { "name": "Log in" }, "assertions": assertions }]);
        Report::of(&json!({ "run": { "failures": failures, "executions": executions } }), requests)
    }

    #[test]
    fn a_run_is_told_in_numbers() {
        let report = report(&json!([{}, {}]), &json!([]), 1);
        assert_eq!(report.to_string(), "1 requests, 2 assertions, 0 failed");
        assert_eq!(report.failures, [""; 0]);
    }

    #[test]
    fn a_failure_is_one_line() {
        let error = json!({ "test": "The status is 200", "message": "expected 200\n  but got 500" });
        let failures = json!([{ "source": { "name": "Log in" }, "error": error }]);
        let report = report(&json!([{}]), &failures, 1);
        assert_eq!(report.failures, ["Log in: The status is 200: expected 200 but got 500"]);
        let long = json!({ "error": { "message": "é".repeat(900) } });
        assert_eq!(described(&long).chars().count(), LONGEST + 2);
    }

    #[test]
    fn skipped_request_and_response_without_assertion_fail() {
        assert_eq!(report(&json!([{}]), &json!([]), 2).failures, ["1 requests were made in place of 2"]);
        assert_eq!(report(&json!([]), &json!([]), 1).failures, ["Log in: nothing was asserted of the answer"]);
        assert_eq!(Report::of(&json!({}), 0).failures.len(), 1, "no report");
    }
}
