//! Summary of all runs.

use std::collections::BTreeMap;

use super::promises::Promises;
use super::tally::Tally;
use super::{Plan, Role};

/// Totals of all runs.
#[derive(Debug, Default)]
pub struct Report {
    cases: usize,
    /// Number of 2xx responses by operation and role.
    successes: BTreeMap<(String, Role), usize>,
    /// Failures, each with its run.
    failures: Vec<String>,
}

impl Report {
    /// Adds a run. An operation in `promised` without a 2xx response is a failure: most checks also pass on a 403.
    pub fn add<'p>(&mut self, plan: Plan, tally: Tally, promised: impl Iterator<Item = &'p str>) {
        let Plan { store, role, seed } = plan;
        let mut failed = |error: &str| self.failures.push(format!("{store}, {}, seed {seed}: {error}", role.name()));
        tally.failures.iter().for_each(|failure| failed(failure));
        for operation in promised.filter(|operation| !tally.successes.contains_key(*operation)) {
            failed(&format!("{operation}: no 2xx response"));
        }
        self.cases += tally.cases;
        for (operation, count) in tally.successes {
            *self.successes.entry((operation, role)).or_default() += count;
        }
    }

    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    /// Prints the report to standard output.
    pub fn print(&self, promises: &Promises) {
        println!("\n{:<36}{:>11}{:>11}{:>11}{:>11}", "2xx responses", "anonymous", "viewer", "registrar", "admin");
        for operation in promises.all() {
            let cells = Role::ALL.map(|role| match self.successes.get(&(operation.to_owned(), role)) {
                Some(count) => count.to_string(),
                None if promises.lets(role, operation) => "0".to_owned(),
                None => "-".to_owned(),
            });
            println!("{operation:<36}{:>11}{:>11}{:>11}{:>11}", cells[0], cells[1], cells[2], cells[3]);
        }
        println!("\n{} cases, {} with a 2xx response", self.cases, self.successes.values().sum::<usize>());
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.cases.saturating_sub(self.failed()), self.failed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permitted_operation_without_success_is_a_failure() {
        let plan = Plan { store: "sqlite", role: Role::Viewer, seed: 3 };
        let successes = BTreeMap::from([("GET /me".to_owned(), 2)]);
        let mut report = Report::default();
        report.add(plan, Tally { cases: 9, successes, ..Tally::default() }, ["GET /me", "POST /logout"].into_iter());
        assert_eq!(report.failures, ["sqlite, viewer, seed 3: POST /logout: no 2xx response"]);
        assert_eq!((report.cases, report.failed()), (9, 1));
    }
}
