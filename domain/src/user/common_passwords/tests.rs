//! What is common, and what is not.

use super::is_common;
use super::list::{LIST, LONGEST, contains};
use crate::kernel::fold;

fn assert_common(passwords: &[&str]) {
    for password in passwords {
        assert!(is_common(password), "{password} is common");
    }
}

fn assert_good(passwords: &[&str]) {
    for password in passwords {
        assert!(!is_common(password), "{password} is not common");
    }
}

#[test]
fn req_14_the_list_is_folded_sorted_without_duplicates_and_of_8_characters_or_more() {
    let entries: Vec<&str> = LIST.lines().collect();
    assert!(entries.len() > 30_000, "{}", entries.len());
    assert!(entries.is_sorted_by(|a, b| a < b));
    for entry in &entries {
        assert_eq!(&fold(entry), entry);
        assert_eq!(entry.trim(), *entry);
        assert!((8..=LONGEST).contains(&entry.chars().count()), "{entry}");
    }
    assert_eq!(entries.iter().map(|entry| entry.chars().count()).max(), Some(LONGEST));
    assert!(entries.iter().filter(|entry| entry.chars().count() >= 15).count() > 4_000, "long ones too");
    assert!(LIST.ends_with('\n') && !LIST.contains("\n\n") && !LIST.contains('\r'));
}

#[test]
fn req_14_every_entry_is_found_and_nothing_else() {
    for entry in LIST.lines() {
        assert!(contains(entry), "{entry}");
    }
    for other in ["", "\n", "!", "passwor", "passwordz0", "password\n", "\u{10ffff}"] {
        assert!(!contains(other), "{other:?}");
    }
}

#[test]
fn req_14_a_listed_password_is_common_in_any_case_and_with_separators() {
    assert_common(&[
        "password",
        "PassWord",
        "manchesterunited",
        "Manchester-United",
        "i love you forever",
        "CONTRASEÑA",
    ]);
}

#[test]
fn req_14_digits_and_signs_beside_a_common_password_do_not_help() {
    assert_common(&["Password1234567", "password2026!!!", "!!!sunshine!!!", "2026-manchesterunited"]);
    assert_common(&["MyNewPassword2026!", "Rollbook-2026-07", "admin:admin:admin", "letmein dragon 007"]);
    assert_common(&["This is a password 1", "12345678901234582"]);
    assert_good(&["sunshine 4071936528140", "123456784071936", "password of my horse", "sunshinexkqvjwt"]);
}

#[test]
fn req_14_common_passwords_joined_are_common() {
    assert_common(&["passwordsunshine", "football&baseball", "photographymountain"]);
    assert_good(&["photography mountain chemistry", "correct horse battery", "a long enough pass phrase"]);
}

#[test]
fn req_14_a_repeated_piece_is_common() {
    assert_common(&[
        "passwordpassword",
        "passwordpasswordpasswordpass",
        "pass word pass word",
        "mountainmountainmountainmount",
        "aaaaaaaaaaaaaaa",
        "\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}",
        "ashokashokashok",
        "x7!kx7!kx7!kx7!k",
    ]);
    assert_good(&["kestrel window kestrel window", "x7!kx7!kx7!kx7!j"]);
}

#[test]
fn req_14_walks_and_sequences_are_common() {
    assert_common(&[
        "123456789012345",
        "987654321098765",
        "abcdefghijklmno",
        "qwertyuiopasdfgh",
        "qwertzuiopasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "1q2w3e4r5t6y7u8i",
        "poiuytrewqlkjhgfdsa",
        "qweasdzxc123456",
        "111222333444555",
        "йцукенгшщзхъ123",
        "!@#$%^&*()12345",
    ]);
    assert_good(&["839204716503928", "qx7rmz2wkd9vtb4"]);
}
