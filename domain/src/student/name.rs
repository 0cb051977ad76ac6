//! Names of students, and parts of names for search.

use crate::kernel::{LINE_PATTERN, TextError, fold, line, new_line, search_form, text};

text! {
    /// Name of a student in NFC: 1 to 100 characters, at least one of them visible, and no control characters. Joiners (ZWJ,
    /// ZWNJ) are kept, because scripts such as Devanagari and Arabic need them.
    StudentName, 1..=100, LINE_PATTERN, line::<StudentName>, new new_line::<StudentName> => TextError
}

impl StudentName {
    /// The name for search. Stores keep it next to the name.
    #[must_use]
    pub fn search_form(&self) -> String {
        search_form(&self.0)
    }

    /// The form in which nodes of release 1.0 search.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Part of a name for a search that ignores case and diacritics, with the rules of [`StudentName`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePart {
    text: String,
    search_form: String,
}

impl NamePart {
    /// # Errors
    /// [`TextError`], the rule that `text` violates.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = new_line::<StudentName>(text)?;
        Ok(Self { search_form: search_form(&text), text })
    }

    /// The part in NFC.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part for search, which is contained in [`StudentName::search_form`].
    #[must_use]
    pub fn search_form(&self) -> &str {
        &self.search_form
    }

    /// Returns `true` if the name contains the part.
    #[must_use]
    pub fn matches(&self, name: &StudentName) -> bool {
        name.search_form().contains(&self.search_form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn student_name_keeps_its_spelling() {
        for name in ["Asha", "Émile d'Arc", " 李 ", "क्\u{200d}ष", "نر\u{200c}گس", &"x".repeat(100), &"é".repeat(100)]
        {
            assert_eq!(StudentName::parse(name).as_ref().map(StudentName::as_str), Ok(name));
        }
    }

    #[test]
    fn student_name_is_stored_in_nfc() {
        let decomposed = "Nu\u{301}n\u{303}ez";
        assert_eq!(StudentName::parse(decomposed).unwrap().as_str(), "Núñez");
        assert_eq!(StudentName::stored(decomposed).unwrap().as_str(), decomposed);
        assert_eq!(StudentName::parse("e\u{301}".repeat(100)).unwrap().as_str(), "é".repeat(100));
    }

    #[test]
    fn invalid_student_name_reports_violated_rule() {
        assert_eq!(StudentName::parse(""), Err(TextError::Blank));
        assert_eq!(StudentName::parse(" \u{a0}"), Err(TextError::Blank));
        assert_eq!(StudentName::parse("\u{200c}\u{2060}"), Err(TextError::Blank));
        assert_eq!(StudentName::parse("x".repeat(101)), Err(TextError::TooLong { max: 100 }));
        assert_eq!(StudentName::parse("a\0b"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn name_part_matches_in_any_case_and_normal_form() {
        let name = StudentName::parse("İsmail Núñez-Strauß").unwrap();
        for part in ["ismail", "ISMAIL", "İSMAİL", "nunez", "NU\u{301}N\u{303}EZ", "STRAUSS", "l n"] {
            assert!(NamePart::parse(part).unwrap().matches(&name), "{part}");
        }
        assert!(!NamePart::parse("strauz").unwrap().matches(&name));
    }
}
