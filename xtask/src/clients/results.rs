//! Results of the scenarios.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::failure::{Failure, Result};

/// Names of the scenario's steps, in order.
pub const STEPS: [&str; 14] = [
    "log-in", "pages", "export", "create", "read", "stale", "null", "422", "404", "refresh", "delete", "follow",
    "log-out", "401",
];

/// Parses lines like `ok read` and `not ok read: no ETag`, and returns the failed steps, each with its error. A step that is
/// not reported exactly once has failed, and the last one if only the scenario itself `exited_with_error`.
///
/// # Errors
/// A line names an unknown step.
pub fn failures(output: &str, exited_with_error: bool) -> Result<Vec<(&'static str, String)>> {
    let reports = output.lines().filter_map(|line| match line.strip_prefix("ok ") {
        Some(step) => Some((step, None)),
        None => line.strip_prefix("not ok ").map(|rest| match rest.split_once(": ") {
            Some((step, error)) => (step, Some(error)),
            None => (rest, Some("no error message")),
        }),
    });
    let reports: Vec<_> = reports.collect();
    if let Some((unknown, _)) = reports.iter().find(|(step, _)| !STEPS.contains(step)) {
        return Err(Failure::new(format_args!("the scenario reports the unknown step {unknown:?}")));
    }
    let mut failures = Vec::new();
    for step in STEPS {
        let mut of_step = reports.iter().filter(|(name, _)| *name == step);
        match (of_step.next(), of_step.next()) {
            (Some((_, None)), None) => {}
            (Some((_, Some(error))), None) => failures.push((step, (*error).to_owned())),
            (None, _) => failures.push((step, "not reported".to_owned())),
            (Some(_), Some(_)) => failures.push((step, "reported more than once".to_owned())),
        }
    }
    if exited_with_error && failures.is_empty() {
        failures.push((STEPS[STEPS.len() - 1], "the scenario exited with an error".to_owned()));
    }
    Ok(failures)
}

/// Results of all clients.
#[derive(Default)]
pub struct Results {
    lines: Vec<String>,
    passed: usize,
    failed: usize,
}

impl Results {
    /// Adds a run of the scenario. If the client could not be built or run, all steps have failed.
    pub fn add(&mut self, client: &str, outcome: Result<Vec<(&'static str, String)>>, duration: Duration) {
        let (failed, errors): (_, Vec<_>) = match outcome {
            Ok(failures) => (failures.len(), failures.iter().map(|(step, error)| format!("{step}: {error}")).collect()),
            Err(failure) => (STEPS.len(), vec![failure.to_string()]),
        };
        let passed = STEPS.len() - failed;
        let summary = format!("{client:<34} {passed:>2} of {} steps {:>7.1} s", STEPS.len(), duration.as_secs_f64());
        self.count(passed, failed, summary, &errors);
    }

    /// Adds a run of the README's client in this language.
    pub fn add_readme(&mut self, language: &str, outcome: Result<()>) {
        let errors: Vec<_> = outcome.err().iter().map(ToString::to_string).collect();
        let state = if errors.is_empty() { "ok" } else { "failed" };
        self.count(1 - errors.len(), errors.len(), format!("README.md, {language}: {state}"), &errors);
    }

    fn count(&mut self, passed: usize, failed: usize, summary: String, errors: &[String]) {
        self.passed += passed;
        self.failed += failed;
        self.lines.push(summary);
        self.lines.extend(errors.iter().map(|error| format!("    {error}")));
    }

    /// Number of failed steps and README clients.
    pub fn failed(&self) -> usize {
        self.failed
    }
}

impl Display for Results {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ok() -> String {
        STEPS.map(|step| format!("ok {step}\n")).concat()
    }

    fn failed(output: &str, exited_with_error: bool) -> Vec<&'static str> {
        failures(output, exited_with_error).unwrap().into_iter().map(|(step, _)| step).collect()
    }

    #[test]
    fn step_passes_if_it_is_reported_ok_once() {
        assert!(failed(&format!("a warning\n{}", all_ok()), false).is_empty());
        assert_eq!(failed("everything is fine\nall ok\n", false), STEPS);
        assert_eq!(failed(&all_ok().replace("ok stale", "not ok stale: not rejected"), true), ["stale"]);
        assert_eq!(failed(&all_ok().replace("ok stale\n", ""), false), ["stale"]);
        assert_eq!(failed(&format!("{}ok stale\n", all_ok()), false), ["stale"]);
        assert_eq!(failed(&all_ok(), true), ["401"]);
        assert!(failures("ok reed\n", false).is_err());
    }

    #[test]
    fn results_count_steps_and_print_errors() {
        let mut results = Results::default();
        results.add("good", failures(&all_ok(), false), Duration::ZERO);
        results.add("bad", failures(&all_ok().replace("ok read", "not ok read: no: tag"), true), Duration::ZERO);
        results.add("none", Err(Failure::new("compile failed")), Duration::ZERO);
        results.add_readme("ts", Ok(()));
        results.add_readme("rust", Err(Failure::new("no output")));
        let text = results.to_string();
        assert_eq!(results.failed(), 16);
        assert!(text.contains("13 of 14 steps     0.0 s\n    read: no: tag\n"), "{text}");
        assert!(
            text.ends_with("README.md, ts: ok\nREADME.md, rust: failed\n    no output\n28 passed, 16 failed\n"),
            "{text}"
        );
    }
}
