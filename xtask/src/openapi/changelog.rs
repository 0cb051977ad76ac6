//! `CHANGELOG.md`: what changed for clients, operation by operation.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::compare::{Change, Effect};

/// The heading of what no release has yet.
const UNRELEASED: &str = "## Unreleased";
const INTRODUCTION: &str = "\
# Changelog

What clients see of each release, operation by operation. `cargo xtask openapi --changelog` adds what openapi.yaml says
otherwise than the first one of its version.
";
const HEADINGS: [(Effect, &str); 3] =
    [(Effect::Breaking, "### Breaking"), (Effect::Added, "### Added"), (Effect::Changed, "### Changed")];

/// The changelog with these changes among what is unreleased; what stands there already is not written twice.
pub fn with(changelog: &str, changes: &[Change]) -> String {
    let (before, unreleased, after) = parts(changelog);
    let mut entries: BTreeMap<Effect, Vec<String>> = BTreeMap::new();
    let mut effect = None;
    for line in unreleased.lines() {
        if let Some((known, _)) = HEADINGS.iter().find(|(_, heading)| *heading == line) {
            effect = Some(*known);
        } else if let (Some(effect), true) = (effect, line.starts_with("- ")) {
            entries.entry(effect).or_default().push(line.to_owned());
        }
    }
    for change in changes {
        let entry = format!("- `{}`: {}", change.operation, change.what);
        let known = entries.entry(change.effect).or_default();
        if !known.contains(&entry) {
            known.push(entry);
        }
    }
    if entries.is_empty() && !changelog.contains(UNRELEASED) {
        return changelog.to_owned();
    }
    let mut text = format!("{}\n{UNRELEASED}\n", before.trim_end().to_owned() + "\n");
    for (effect, heading) in HEADINGS {
        if let Some(entries) = entries.get(&effect) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{heading}\n\n{}\n", entries.join("\n"));
        }
    }
    if !after.is_empty() {
        text = format!("{text}\n{after}");
    }
    text
}

/// What stands before the unreleased, the unreleased, and the releases.
fn parts(changelog: &str) -> (&str, &str, &str) {
    let Some((before, rest)) = changelog.split_once(UNRELEASED) else {
        let (before, after) = match changelog.find("\n## ") {
            Some(at) => changelog.split_at(at + 1),
            None => (changelog, ""),
        };
        return (if before.trim().is_empty() { INTRODUCTION } else { before }, "", after);
    };
    match rest.find("\n## ") {
        Some(at) => (before, &rest[..at], &rest[at + 1..]),
        None => (before, rest, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(effect: Effect, operation: &str, what: &str) -> Change {
        Change { effect, operation: operation.to_owned(), what: what.to_owned() }
    }

    #[test]
    fn changes_are_added_under_their_headings_once() {
        let first = [change(Effect::Added, "GET /me", "added"), change(Effect::Breaking, "GET /x", "removed")];
        let once = with("", &first);
        let expected = "## Unreleased\n\n### Breaking\n\n- `GET /x`: removed\n\n### Added\n\n- `GET /me`: added\n";
        assert_eq!(once, format!("{INTRODUCTION}\n{expected}"));
        assert_eq!(with(&once, &first), once);
        let more = with(&once, &[change(Effect::Added, "GET /y", "added")]);
        assert!(more.ends_with("- `GET /me`: added\n- `GET /y`: added\n"), "{more}");
    }

    #[test]
    fn what_is_released_stays() {
        let released = "# Changelog\n\n## 1.0.0\n\n### Added\n\n- `GET /me`: added\n";
        assert_eq!(with(released, &[]), released);
        let next = with(released, &[change(Effect::Added, "GET /me", "added")]);
        assert_eq!(
            next,
            "# Changelog\n\n## Unreleased\n\n### Added\n\n- `GET /me`: added\n\n## 1.0.0\n\n### Added\n\n- `GET /me`: added\n"
        );
        assert_eq!(with(&next, &[]), next);
    }
}
