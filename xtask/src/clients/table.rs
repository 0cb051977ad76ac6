//! Results as a table of generators and steps.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::verdict::{STEPS, Verdict};
use crate::failure::Result;

/// A row for each generator, and a line for each client in README.md.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    /// For each language the error, if the client failed.
    readme: Vec<(&'static str, Option<String>)>,
}

struct Row {
    name: String,
    /// An error if the client could not be built or run.
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
        self.rows.push(Row { name, outcome: outcome.map_err(|failure| failure.to_string()), took });
    }

    pub fn add_readme(&mut self, language: &'static str, outcome: Result<()>) {
        self.readme.push((language, outcome.err().map(|failure| failure.to_string())));
    }

    /// Number of failed steps and failed README clients. Without a client, all steps have failed.
    pub fn failed(&self) -> usize {
        let readme = self.readme.iter().filter(|(_, failure)| failure.is_some()).count();
        self.rows.iter().map(Row::failed).sum::<usize>() + readme
    }
}

impl Display for Table {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let first = self.rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        writeln!(out, "{:first$}  {}  seconds", "", STEPS.join("  "))?;
        for Row { name, outcome, took } in &self.rows {
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
        for Row { name, outcome, .. } in &self.rows {
            match outcome {
                Ok(verdict) => {
                    for (steps, error) in reasons(verdict) {
                        writeln!(out, "{name}, {}: {error}", steps.join(", "))?;
                    }
                }
                Err(error) => writeln!(out, "{error}")?,
            }
        }
        for (language, failure) in &self.readme {
            writeln!(out, "README.md, {language}: {}", failure.as_deref().unwrap_or("ok"))?;
        }
        let (failed, all) = (self.failed(), self.rows.len() * STEPS.len() + self.readme.len());
        writeln!(out, "{} passed, {failed} failed", all - failed)
    }
}

/// Errors of failed steps; consecutive steps with the same error are one entry.
fn reasons(verdict: &Verdict) -> Vec<(Vec<&'static str>, &str)> {
    let mut reasons: Vec<(Vec<_>, &str)> = Vec::new();
    for (step, failure) in STEPS.iter().zip(&verdict.failures) {
        let Some(error) = failure else { continue };
        match reasons.last_mut() {
            Some((steps, last)) if last == error => steps.push(*step),
            _ => reasons.push((vec![*step], error)),
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn steps_with_same_error_share_one_line() {
        let mut table = Table::default();
        table.add("bad", Ok(Verdict::read("ok log-in\nnot ok pages: no next\n", false).unwrap()), Duration::ZERO);
        let text = table.to_string();
        assert!(text.contains("\nbad, pages: no next\nbad, create, read, stale, "), "{text}");
    }

    #[test]
    fn table_lists_all_steps_and_errors() {
        let mut table = Table::default();
        let lines = STEPS.map(|step| format!("ok {step}\n")).concat();
        table.add("good", Ok(Verdict::read(&lines, true).unwrap()), Duration::ZERO);
        table.add(
            "bad",
            Ok(Verdict::read(&lines.replace("ok read", "not ok read: no tag"), false).unwrap()),
            Duration::ZERO,
        );
        table.add("none", Err(Failure::new("none: compile failed")), Duration::ZERO);
        table.add_readme("ts", Ok(()));
        table.add_readme("rust", Err(Failure::new("no output")));
        let text = table.to_string();
        assert_eq!(table.failed(), 14);
        assert!(text.contains("bad   ok      ok     ok      FAIL  ok"), "{text}");
        assert!(text.contains("bad, read: no tag\nnone: compile failed\n"), "{text}");
        assert!(text.ends_with("README.md, ts: ok\nREADME.md, rust: no output\n24 passed, 14 failed\n"), "{text}");
    }
}
