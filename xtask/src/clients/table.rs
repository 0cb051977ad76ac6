//! The table generator by step.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::verdict::{STEPS, Verdict};
use crate::failure::Result;

/// A row for each generator, and a line for each client that README.md shows.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    /// In each language nothing, or why the client failed.
    readme: Vec<(&'static str, Option<String>)>,
}

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
        self.rows.push(Row { name, outcome: outcome.map_err(|failure| failure.to_string()), took });
    }

    pub fn add_readme(&mut self, language: &'static str, outcome: Result<()>) {
        self.readme.push((language, outcome.err().map(|failure| failure.to_string())));
    }

    /// How many steps failed, all of them where there is no client, and clients of README.md.
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
                    for (steps, why) in reasons(verdict) {
                        writeln!(out, "{name}, {}: {why}", steps.join(", "))?;
                    }
                }
                Err(why) => writeln!(out, "{why}")?,
            }
        }
        for (language, failure) in &self.readme {
            writeln!(out, "README.md, {language}: {}", failure.as_deref().unwrap_or("ok"))?;
        }
        let (failed, all) = (self.failed(), self.rows.len() * STEPS.len() + self.readme.len());
        writeln!(out, "{} passed, {failed} failed", all - failed)
    }
}

/// Why steps failed; consecutive steps with the same failure are one entry.
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
        table.add("none", Err(Failure::new("none: it does not compile")), Duration::ZERO);
        table.add_readme("ts", Ok(()));
        table.add_readme("rust", Err(Failure::new("it printed nothing")));
        let text = table.to_string();
        assert_eq!(table.failed(), 14);
        assert!(text.contains("bad   ok      ok     ok      FAIL  ok"), "{text}");
        assert!(text.contains("bad, read: no tag\nnone: it does not compile\n"), "{text}");
        assert!(
            text.ends_with("README.md, ts: ok\nREADME.md, rust: it printed nothing\n24 passed, 14 failed\n"),
            "{text}"
        );
    }
}
