//! Folded forms of text. Computed here and not in a database, so that every store finds the same records.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript as _};

use super::invisible::is_invisible;

/// Folds case per character and independently of the locale: to upper case, then to lower case. This also unifies characters
/// with several lower-case forms (`ß` and `ss`, final and medial sigma).
///
/// Stored keys of usernames and the list of common passwords contain its results.
pub(crate) fn fold(text: &str) -> String {
    fold_case(text.chars())
}

/// Folds text for search: ignores case, compatibility differences (width, ligatures), invisible characters, and the
/// diacritics of Latin, Greek and Cyrillic letters. The result is the same for every normalization form, and is in NFC. Marks of
/// other scripts stay: in Devanagari they are vowels.
pub fn search_form(text: &str) -> String {
    let mut is_stripped = false;
    let letters = text.nfkd().filter(|&c| {
        if is_combining_mark(c) {
            return !is_stripped;
        }
        is_stripped = matches!(c.script(), Script::Latin | Script::Greek | Script::Cyrillic);
        true
    });
    let letters = letters.filter(|&c| !is_invisible(c)).map(without_stroke);
    // Lower case first, because the upper case of `ẞ` is itself.
    fold_case(letters.flat_map(char::to_lowercase)).nfc().collect()
}

fn fold_case(text: impl Iterator<Item = char>) -> String {
    text.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The letter without its stroke, which Unicode does not decompose.
const fn without_stroke(letter: char) -> char {
    match letter {
        'Đ' | 'đ' => 'd',
        'Ħ' | 'ħ' => 'h',
        'Ł' | 'ł' => 'l',
        'Ø' | 'ø' => 'o',
        'Ŧ' | 'ŧ' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::is_nfc;

    use super::*;

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert_eq!(fold("ÅSA Straße ΣΊΣΥΦΟΣ"), fold("åsa STRASSE σίσυφος"));
    }

    #[test]
    fn case_folding_keeps_different_letters_apart() {
        assert_ne!(fold("Asa"), fold("Åsa"));
    }

    #[test]
    fn search_ignores_case_and_diacritics() {
        for (text, folded) in [
            ("İsmail", "ismail"),
            ("ISMAIL", "ismail"),
            ("Kadıoğlu", "kadioglu"),
            ("Núñez", "nunez"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("Nguyễn Thị Ánh", "nguyen thi anh"),
            ("Łukasz Sørensen Đorđević", "lukasz sorensen dordevic"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
            ("Οδυσσεύς", "οδυσσευσ"),
            ("ᾍδης", "αδησ"),
            ("Фёдор Андрей", "федор андреи"),
            ("ｎúñez ﬁ", "nunez fi"),
            ("As\u{200b}ha\u{202e}", "asha"),
        ] {
            assert_eq!(search_form(text), folded, "{text}");
        }
    }

    #[test]
    fn search_keeps_marks_of_other_scripts() {
        for (one, other) in [("मीरा", "मरा"), ("कि", "की"), ("が", "か"), ("บี", "บ"), ("\u{64e}ب", "ب")]
        {
            assert_ne!(search_form(one), search_form(other), "{one} {other}");
        }
        assert_eq!(search_form("मीरा"), "मीरा");
        assert_eq!(search_form("한국"), "한국");
    }

    /// Each character that has a decomposition, a case, or marks a letter: alone, after a Latin letter, and before an accent.
    #[test]
    fn search_form_is_independent_of_normalization_form() {
        let is_cased = |c: char| c.is_lowercase() || c.is_uppercase();
        let changes = |&c: &char| c.nfkd().ne([c]) || is_combining_mark(c) || is_cased(c);
        for c in ('\0'..='\u{1ffff}').filter(|c| !('가'..='힣').contains(c)).filter(changes) {
            for text in [c.to_string(), format!("e{c}"), format!("{c}\u{301}")] {
                let folded = search_form(&text);
                assert!(is_nfc(&folded), "{text:?}");
                assert_eq!(search_form(&folded), folded, "{text:?}");
                let forms: [String; 4] =
                    [text.nfc().collect(), text.nfd().collect(), text.nfkc().collect(), text.nfkd().collect()];
                for form in forms {
                    assert_eq!(search_form(&form), folded, "{text:?} as {form:?}");
                }
            }
        }
    }
}
