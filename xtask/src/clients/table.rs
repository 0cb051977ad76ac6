//! The table generator by step.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::verdict::{STEPS, Verdict};
use crate::failure::Result;

/// A row for each generator.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    name: String,
    /// Or why there is no client.
    outcome: Result<Verdict, String>,
    took: Duration,
}

impl Row {
    fn failed(&self) -> usize {
        self.outcome.as_ref().map_or(STEPS.len(), |verdict| verdict.failures.iter().flatten().count())
    }
}

impl Table {
    pub fn add(&mut self, name: impl Into<String>, outcome: Result<Verdict>, took: Duration) {
        let name = name.into();
        self.0.push(Row { name, outcome: outcome.map_err(|failure| failure.to_string()), took });
    }

    /// How many steps failed; all of them where there is no client.
    pub fn failed(&self) -> usize {
        self.0.iter().map(Row::failed).sum()
    }
}

impl Display for Table {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let first = self.0.iter().map(|row| row.name.len()).max().unwrap_or_default();
        writeln!(out, "{:first$}  {}  seconds", "", STEPS.join("  "))?;
        for Row { name, outcome, took } in &self.0 {
            write!(out, "{name:first$}")?;
            for (place, step) in STEPS.iter().enumerate() {
                let cell = match outcome {
                    Ok(verdict) if verdict.failures[place].is_none() => "ok",
                    Ok(_) => "FAIL",
                    Err(_) => "none",
                };
                write!(out, "  {cell:<0$}", step.len())?;
            }
            writeln!(out, "  {:>7.1}", took.as_secs_f64())?;
        }
        for Row { name, outcome, .. } in &self.0 {
            match outcome {
                Ok(verdict) => {
                    for (steps, why) in reasons(verdict) {
                        writeln!(out, "{name}, {}: {why}", steps.join(", "))?;
                    }
                }
                Err(why) => writeln!(out, "{why}")?,
            }
        }
        let failed = self.failed();
        writeln!(out, "{} passed, {failed} failed", self.0.len() * STEPS.len() - failed)
    }
}

/// Why steps failed; those that failed alike one after the other are told together.
fn reasons(verdict: &Verdict) -> Vec<(Vec<&'static str>, &str)> {
    let mut reasons: Vec<(Vec<_>, &str)> = Vec::new();
    for (step, failure) in STEPS.iter().zip(&verdict.failures) {
        let Some(why) = failure else { continue };
        match reasons.last_mut() {
            Some((steps, last)) if last == why => steps.push(*step),
            _ => reasons.push((vec![*step], why)),
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn steps_that_failed_alike_are_told_together() {
        let mut table = Table::default();
        table.add("bad", Ok(Verdict::read("ok log-in\nnot ok pages: no next\n", false).unwrap()), Duration::ZERO);
        let text = table.to_string();
        assert!(text.contains("\nbad, pages: no next\nbad, create, read, stale, "), "{text}");
    }

    #[test]
    fn it_tells_each_step_and_why_it_failed() {
        let mut table = Table::default();
        let lines = STEPS.map(|step| format!("ok {step}\n")).concat();
        table.add("good", Ok(Verdict::read(&lines, true).unwrap()), Duration::ZERO);
        table.add(
            "bad",
            Ok(Verdict::read(&lines.replace("ok read", "not ok read: no tag"), false).unwrap()),
            Duration::ZERO,
        );
        table.add("none", Err(Failure::told("none: it does not compile")), Duration::ZERO);
        let text = table.to_string();
        assert_eq!(table.failed(), 13);
        assert!(text.contains("bad   ok      ok     ok      FAIL  ok"), "{text}");
        assert!(text.ends_with("bad, read: no tag\nnone: it does not compile\n23 passed, 13 failed\n"), "{text}");
    }
}
