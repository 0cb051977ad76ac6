//! Case folding for search and for unique names.

/// Folds case per character and independently of the locale: to upper case, then to lower case. This also unifies characters
/// with several lower-case forms (`ß` and `ss`, final and medial sigma).
///
/// Implemented here and not in a database, so that every store finds the same records.
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
