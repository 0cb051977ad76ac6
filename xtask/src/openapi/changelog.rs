//! CHANGELOG.md: one line for each change, and the reasons of breaking ones.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::compare::{Change, Effect};

pub const FILE: &str = "CHANGELOG.md";
/// Heading of the changes since the last release.
const UNRELEASED: &str = "## Unreleased";
/// Separates a line from the reason for a breaking change.
const REASON: &str = ". Reason: ";
/// Subject that covers the changes of all operations.
const EVERY_OPERATION: &str = "Every operation";
const INTRODUCTION: &str = "\
# Changelog

Changes of the API, for client authors. `cargo xtask openapi --changelog` adds the changes of openapi.yaml.
";
const HEADINGS: [(Effect, &str); 3] =
    [(Effect::Breaking, "### Breaking"), (Effect::Added, "### Added"), (Effect::Changed, "### Changed")];

/// Returns the changelog with these changes among the unreleased ones. Existing lines are kept.
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
    let mut subjects: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for change in changes {
        if !entries.entry(change.effect).or_default().iter().any(|line| reason_in(line, change).is_some()) {
            subjects.entry((change.effect, &change.what)).or_default().push(&change.subject);
        }
    }
    for ((effect, what), subjects) in subjects {
        entries.entry(effect).or_default().push(format!("- {}: {what}", subjects.join(", ")));
    }
    entries.retain(|_, lines| !lines.is_empty());
    if entries.is_empty() && !changelog.contains(UNRELEASED) {
        return changelog.to_owned();
    }
    let mut text = format!("{}\n\n{UNRELEASED}\n", before.trim_end());
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

/// The reason that the changelog states for a change.
pub fn reason<'c>(changelog: &'c str, change: &Change) -> Option<&'c str> {
    changelog.lines().filter_map(|line| reason_in(line, change)).map(str::trim).find(|reason| !reason.is_empty())
}

/// The reason after the line of a change, empty if there is none; `None` for other lines.
fn reason_in<'l>(line: &'l str, change: &Change) -> Option<&'l str> {
    let (subjects, rest) = line.strip_prefix("- ")?.split_once(": ")?;
    let rest = rest.strip_prefix(&change.what)?;
    let is_operation = change.subject.contains(" /");
    let is_subject =
        (is_operation && subjects == EVERY_OPERATION) || subjects.split(", ").any(|it| it == change.subject);
    match rest {
        _ if !is_subject => None,
        "" => Some(""),
        rest => rest.strip_prefix(REASON),
    }
}

/// The text before the unreleased changes, the unreleased changes, and the releases.
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

    fn change(effect: Effect, subject: &str, what: &str) -> Change {
        Change { effect, subject: subject.to_owned(), what: what.to_owned() }
    }

    #[test]
    fn changes_are_added_under_their_headings_once() {
        let first = [change(Effect::Added, "`GET /me`", "added"), change(Effect::Breaking, "`GET /x`", "removed")];
        let once = with("", &first);
        let expected = "## Unreleased\n\n### Breaking\n\n- `GET /x`: removed\n\n### Added\n\n- `GET /me`: added\n";
        assert_eq!(once, format!("{INTRODUCTION}\n{expected}"));
        assert_eq!(with(&once, &first), once);
        let more = with(&once, &[change(Effect::Added, "`GET /y`", "added")]);
        assert!(more.ends_with("- `GET /me`: added\n- `GET /y`: added\n"), "{more}");
    }

    #[test]
    fn equal_changes_share_one_line() {
        let removed = ["`GET /x`", "`GET /y`"].map(|subject| change(Effect::Breaking, subject, "removed"));
        let changelog = with("", &removed);
        assert!(changelog.ends_with("- `GET /x`, `GET /y`: removed\n"), "{changelog}");
        let explained = changelog.replace("removed", "removed. Reason: they never worked.");
        assert_eq!(reason(&explained, &removed[1]), Some("they never worked."));
        assert_eq!(with(&explained, &removed), explained);
        let shortened = changelog.replace("`GET /x`, `GET /y`", EVERY_OPERATION);
        assert_eq!(with(&shortened, &removed), shortened);
        let component = change(Effect::Breaking, "`Student`", "removed");
        assert!(with(&shortened, &[component]).ends_with("- `Student`: removed\n"));
    }

    #[test]
    fn released_changes_are_kept() {
        let released = "# Changelog\n\n## 1.0.0\n\n### Added\n\n- `GET /me`: added\n";
        assert_eq!(with(released, &[]), released);
        let next = with(released, &[change(Effect::Added, "`GET /me`", "added")]);
        assert_eq!(
            next,
            "# Changelog\n\n## Unreleased\n\n### Added\n\n- `GET /me`: added\n\n## 1.0.0\n\n### Added\n\n- `GET /me`: added\n"
        );
        assert_eq!(with(&next, &[]), next);
    }

    #[test]
    fn reason_follows_the_line_of_its_change() {
        let removed = change(Effect::Breaking, "`GET /x`", "removed");
        let changelog = with("", std::slice::from_ref(&removed));
        assert_eq!(reason(&changelog, &removed), None);
        let explained = changelog.replace("removed", "removed. Reason: it never worked.");
        assert_eq!(reason(&explained, &removed), Some("it never worked."));
        assert_eq!(reason(&explained, &change(Effect::Breaking, "`GET /y`", "removed")), None);
        assert_eq!(reason(&changelog.replace("removed", "removed. Reason: "), &removed), None, "an empty reason");
    }
}
