//! What a scenario's lines say about each step.

/// The steps of the scenario, in their order; the scenarios call them by these names.
pub const STEPS: [&str; 12] =
    ["log-in", "pages", "create", "read", "stale", "null", "422", "404", "refresh", "delete", "log-out", "401"];

/// How it went: for each of [`STEPS`] nothing, or why it failed.
#[derive(Debug)]
pub struct Verdict {
    pub failures: [Option<String>; STEPS.len()],
}

impl Verdict {
    /// Reads lines such as `ok read` and `not ok read: no ETag`. A step that is not reported exactly once has failed, and so has
    /// the last one where the scenario `ended` otherwise than well.
    ///
    /// # Errors
    /// A line about something that is no step.
    pub fn read(output: &str, ended_well: bool) -> Result<Self, String> {
        let mut reports = [const { Vec::new() }; STEPS.len()];
        for line in output.lines() {
            let (step, failure) = match (line.strip_prefix("ok "), line.strip_prefix("not ok ")) {
                (Some(step), _) => (step, None),
                (None, Some(rest)) => {
                    let (step, why) = rest.split_once(": ").unwrap_or((rest, "no reason was given"));
                    (step, Some(why.to_owned()))
                }
                (None, None) => continue,
            };
            let place = STEPS.iter().position(|known| *known == step);
            reports[place.ok_or_else(|| format!("the scenario reports the unknown step {step:?}"))?].push(failure);
        }
        let mut failures = reports.map(|reports| match <[Option<String>; 1]>::try_from(reports) {
            Ok([outcome]) => outcome,
            Err(reports) if reports.is_empty() => Some("the scenario did not report it".to_owned()),
            Err(reports) => Some(format!("the scenario reported it {} times", reports.len())),
        });
        if !ended_well && failures.iter().all(Option::is_none) {
            failures[STEPS.len() - 1] = Some("the scenario ended with a failure".to_owned());
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

    fn failed(output: &str, ended_well: bool) -> Vec<&'static str> {
        let failures = Verdict::read(output, ended_well).unwrap().failures;
        STEPS.into_iter().zip(failures).filter_map(|(step, failure)| failure.map(|_| step)).collect()
    }

    #[test]
    fn what_is_told_of_once_and_well_has_passed() {
        assert!(failed(&all_ok(), true).is_empty());
        assert!(failed(&format!("a warning\n{}", all_ok()), true).is_empty());
    }

    #[test]
    fn a_scenario_that_says_nothing_has_failed_in_each_step() {
        assert_eq!(failed("", true), STEPS);
        assert_eq!(failed("everything is fine\nall ok\n", true), STEPS);
    }

    #[test]
    fn a_step_that_fails_is_missing_or_comes_twice_has_failed() {
        assert_eq!(failed(&all_ok().replace("ok stale", "not ok stale: it was taken"), true), ["stale"]);
        assert_eq!(failed(&all_ok().replace("ok stale\n", ""), true), ["stale"]);
        assert_eq!(failed(&format!("{}ok stale\n", all_ok()), true), ["stale"]);
        let why = Verdict::read("not ok read: a: b\n", false).unwrap().failures[3].clone();
        assert_eq!(why.as_deref(), Some("a: b"));
    }

    #[test]
    fn a_scenario_that_ends_badly_has_failed() {
        assert_eq!(failed(&all_ok(), false), ["401"]);
    }

    #[test]
    fn a_step_of_another_name_is_no_step() {
        assert!(Verdict::read("ok reed\n", true).is_err());
    }
}
