//! Folding of text for search and for names that must not differ by case alone.

/// Folds case without regard to locale, character by character: upper case, then lower case, which also
/// joins what has several lower-case forms (`ß` and `ss`, final and medial sigma).
///
/// Done here and not in a database, so that every store finds the same.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert_eq!(fold("ÅSA Straße ΣΊΣΥΦΟΣ"), fold("åsa STRASSE σίσυφος"));
    }

    #[test]
    fn different_letters_stay_different() {
        assert_ne!(fold("Asa"), fold("Åsa"));
    }
}
