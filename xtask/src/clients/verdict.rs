//! Results of a scenario, parsed from its output.

/// Names of the scenario's steps, in order.
pub const STEPS: [&str; 12] =
    ["log-in", "pages", "create", "read", "stale", "null", "422", "404", "refresh", "delete", "log-out", "401"];

/// Results of one scenario: for each of [`STEPS`] the error, if it failed.
#[derive(Debug)]
pub struct Verdict {
    pub failures: [Option<String>; STEPS.len()],
}

impl Verdict {
    /// Parses lines like `ok read` and `not ok read: no ETag`. A step that is not reported exactly once has failed.
    /// If all steps passed but the scenario exited with an error, the last step has failed.
    ///
    /// # Errors
    /// A line names an unknown step.
    pub fn read(output: &str, succeeded: bool) -> Result<Self, String> {
        let mut reports = [const { Vec::new() }; STEPS.len()];
        for line in output.lines() {
            let (step, failure) = match (line.strip_prefix("ok "), line.strip_prefix("not ok ")) {
                (Some(step), _) => (step, None),
                (None, Some(rest)) => {
                    let (step, error) = rest.split_once(": ").unwrap_or((rest, "no error message"));
                    (step, Some(error.to_owned()))
                }
                (None, None) => continue,
            };
            let index = STEPS.iter().position(|known| *known == step);
            reports[index.ok_or_else(|| format!("the scenario reports the unknown step {step:?}"))?].push(failure);
        }
        let mut failures = reports.map(|reports| match <[Option<String>; 1]>::try_from(reports) {
            Ok([outcome]) => outcome,
            Err(reports) if reports.is_empty() => Some("not reported".to_owned()),
            Err(reports) => Some(format!("reported {} times", reports.len())),
        });
        if !succeeded && failures.iter().all(Option::is_none) {
            failures[STEPS.len() - 1] = Some("the scenario exited with an error".to_owned());
        }
        Ok(Self { failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ok() -> String {
        STEPS.map(|step| format!("ok {step}\n")).concat()
    }

    fn failed(output: &str, succeeded: bool) -> Vec<&'static str> {
        let failures = Verdict::read(output, succeeded).unwrap().failures;
        STEPS.into_iter().zip(failures).filter_map(|(step, failure)| failure.map(|_| step)).collect()
    }

    #[test]
    fn steps_reported_ok_once_have_passed() {
        assert!(failed(&all_ok(), true).is_empty());
        assert!(failed(&format!("a warning\n{}", all_ok()), true).is_empty());
    }

    #[test]
    fn scenario_without_reports_has_failed_every_step() {
        assert_eq!(failed("", true), STEPS);
        assert_eq!(failed("everything is fine\nall ok\n", true), STEPS);
    }

    #[test]
    fn failed_missing_or_repeated_step_has_failed() {
        assert_eq!(failed(&all_ok().replace("ok stale", "not ok stale: not rejected"), true), ["stale"]);
        assert_eq!(failed(&all_ok().replace("ok stale\n", ""), true), ["stale"]);
        assert_eq!(failed(&format!("{}ok stale\n", all_ok()), true), ["stale"]);
        let error = Verdict::read("not ok read: a: b\n", false).unwrap().failures[3].clone();
        assert_eq!(error.as_deref(), Some("a: b"));
    }

    #[test]
    fn scenario_that_exits_with_error_has_failed() {
        assert_eq!(failed(&all_ok(), false), ["401"]);
    }

    #[test]
    fn unknown_step_is_an_error() {
        assert!(Verdict::read("ok reed\n", true).is_err());
    }
}
