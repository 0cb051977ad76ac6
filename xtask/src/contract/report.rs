//! What all runs together came to: a table for people, and one line for everybody else.

use std::collections::BTreeMap;

use super::promises::Promises;
use super::tally::Tally;
use super::{Plan, Role};

/// The tallies of all runs.
#[derive(Debug, Default)]
pub struct Report {
    cases: usize,
    /// Answers of 2xx, by operation and role.
    good: BTreeMap<(String, Role), usize>,
    /// What went wrong, with the run in which it did.
    failures: Vec<String>,
}

impl Report {
    /// Adds a run. What its role may do and never did is a failure: a refusal pleases most checks.
    pub fn add<'p>(&mut self, plan: Plan, tally: Tally, promised: impl Iterator<Item = &'p str>) {
        let Plan { store, role, seed } = plan;
        let mut failed = |what: &str| self.failures.push(format!("{store}, {}, seed {seed}: {what}", role.name()));
        tally.failures.iter().for_each(|failure| failed(failure));
        for operation in promised.filter(|operation| !tally.good.contains_key(*operation)) {
            failed(&format!("{operation}: never answered 2xx"));
        }
        self.cases += tally.cases;
        for (operation, count) in tally.good {
            *self.good.entry((operation, role)).or_default() += count;
        }
    }

    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    /// Prints it to standard output.
    pub fn print(&self, promises: &Promises) {
        println!("\n{:<36}{:>11}{:>11}{:>11}{:>11}", "answers of 2xx", "anonymous", "viewer", "registrar", "admin");
        for operation in promises.all() {
            let cells = Role::ALL.map(|role| match self.good.get(&(operation.to_owned(), role)) {
                Some(count) => count.to_string(),
                None if promises.lets(role, operation) => "0".to_owned(),
                None => "-".to_owned(),
            });
            println!("{operation:<36}{:>11}{:>11}{:>11}{:>11}", cells[0], cells[1], cells[2], cells[3]);
        }
        println!("\n{} cases, {} answered 2xx", self.cases, self.good.values().sum::<usize>());
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
    fn what_may_be_done_and_never_was_is_a_failure() {
        let plan = Plan { store: "sqlite", role: Role::Viewer, seed: 3 };
        let good = BTreeMap::from([("GET /me".to_owned(), 2)]);
        let mut report = Report::default();
        report.add(plan, Tally { cases: 9, good, ..Tally::default() }, ["GET /me", "POST /logout"].into_iter());
        assert_eq!(report.failures, ["sqlite, viewer, seed 3: POST /logout: never answered 2xx"]);
        assert_eq!((report.cases, report.failed()), (9, 1));
    }
}
