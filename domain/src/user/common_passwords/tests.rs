//! Tests of the common-password check.

use super::is_common;
use super::list::{LIST, contains};
use crate::kernel::fold;

/// REQ 14.
#[test]
fn list_is_folded_sorted_unique_and_long_enough() {
    let entries: Vec<&str> = LIST.lines().collect();
    assert!(entries.len() > 30_000, "{}", entries.len());
    assert!(entries.is_sorted_by(|a, b| a < b));
    for entry in &entries {
        assert_eq!(&fold(entry), entry);
        assert_eq!(entry.trim(), *entry);
        assert!((8..=64).contains(&entry.chars().count()), "{entry}");
    }
    assert!(entries.iter().filter(|entry| entry.chars().count() >= 15).count() > 4_000, "long entries");
    assert!(LIST.ends_with('\n') && !LIST.contains("\n\n") && !LIST.contains('\r'));
}

/// REQ 14.
#[test]
fn only_entries_are_found() {
    for entry in LIST.lines() {
        assert!(contains(entry), "{entry}");
    }
    for other in ["", "\n", "!", "passwor", "passwordz0", "password\n", "\u{10ffff}"] {
        assert!(!contains(other), "{other:?}");
    }
}

/// REQ 14.
#[test]
fn listed_password_is_common_in_any_case_and_with_separators() {
    for password in
        ["password", "PassWord", "manchesterunited", "Manchester-United", "i love you forever", "CONTRASEÑA"]
    {
        assert!(is_common(password), "{password}");
    }
    for password in ["correct horse battery", "manchester united 1999", "839204716503928"] {
        assert!(!is_common(password), "{password}");
    }
}
