//! Compares `tests/REQUIREMENTS.md` with the doc comments of the tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use tests::program::workspace;

type TestsByRule = BTreeMap<u32, Vec<String>>;

/// Collects the tests that have a doc comment such as `/// REQ 7, REQ 9.`, by rule.
fn collect(folder: &Path, tests: &mut TestsByRule) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            collect_from(&fs::read_to_string(&path).unwrap(), tests);
        }
    }
}

fn collect_from(code: &str, tests: &mut TestsByRule) {
    let mut rules = Vec::new();
    for line in code.lines().map(str::trim_start) {
        if let Some(list) = line.strip_prefix("/// REQ ") {
            rules = list.trim_end_matches('.').split(", REQ ").map(|rule| rule.parse::<u32>().expect(line)).collect();
        } else if let Some(name) = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()) {
            for rule in rules.drain(..) {
                tests.entry(rule).or_default().push(name.to_owned());
            }
        }
    }
}

/// The text of the document with the names of these tests under each rule.
fn listed(document: &str, mut tests: TestsByRule) -> String {
    let mut text = String::new();
    for line in document.lines().filter(|line| !line.starts_with("    - `")) {
        text += line;
        text += "\n";
        let Some(rule) = line.split_once(". ").and_then(|(number, _)| number.parse().ok()) else { continue };
        let mut names = tests.remove(&rule).unwrap_or_else(|| panic!("no test covers rule {rule}"));
        names.sort();
        for name in names {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "    - `{name}`");
        }
    }
    assert!(tests.is_empty(), "tests name rules that do not exist: {tests:?}");
    text
}

#[test]
fn requirements_list_their_tests() {
    let mut tests = TestsByRule::new();
    for folder in ["domain/src", "adapters", "app/src", "tests"] {
        collect(&workspace().join(folder), &mut tests);
    }
    let path = workspace().join("tests/REQUIREMENTS.md");
    let document = fs::read_to_string(&path).unwrap();
    let expected = listed(&document, tests);
    if document != expected {
        fs::write(&path, expected).unwrap();
        panic!("tests/REQUIREMENTS.md did not list the tests; it has been rewritten: review it");
    }
}

#[test]
fn marked_test_is_listed_under_its_rules() {
    let mut tests = TestsByRule::new();
    let code =
        "/// REQ 1, REQ 2.\n#[test]\nfn first() {}\n\nfn unmarked() {}\n    /// REQ 2.\n    async fn second(server) {";
    collect_from(code, &mut tests);
    let document = "1. One. RFC 1\n    - `gone`\n2. Two. RFC 2\n";
    let expected = "1. One. RFC 1\n    - `first`\n2. Two. RFC 2\n    - `first`\n    - `second`\n";
    assert_eq!(listed(document, tests), expected);
}

#[test]
#[should_panic(expected = "no test covers rule 1")]
fn rule_without_test_is_rejected() {
    listed("1. One. RFC 1\n", TestsByRule::new());
}

#[test]
#[should_panic(expected = "rules that do not exist")]
fn test_of_unknown_rule_is_rejected() {
    listed("1. One. RFC 1\n", TestsByRule::from([(1, vec!["one".to_owned()]), (9, vec!["nine".to_owned()])]));
}
