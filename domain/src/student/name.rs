//! Names of students, and parts of names for search.

use crate::kernel::{LINE_PATTERN, TextError, fold, line, text};

text! {
    /// Name of a student: 1 to 100 characters, not blank, without control characters.
    StudentName, 1..=100, LINE_PATTERN, line::<StudentName> => TextError
}

impl StudentName {
    /// The case-folded name. Stores keep it next to the name for search.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Part of a name for a case-insensitive search, with the rules of [`StudentName`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePart(String);

impl NamePart {
    /// # Errors
    /// [`TextError`], the rule that `text` violates.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line::<StudentName>(text)?;
        Ok(Self(fold(text)))
    }

    /// The case-folded part, which is searched in [`StudentName::folded`].
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn student_name_is_kept_as_written() {
        for name in ["Asha", "Émile d'Arc", " 李 ", &"x".repeat(100), &"é".repeat(100)] {
            assert_eq!(StudentName::parse(name).as_ref().map(StudentName::as_str), Ok(name));
        }
    }

    #[test]
    fn invalid_student_name_reports_violated_rule() {
        assert_eq!(StudentName::parse(""), Err(TextError::Blank));
        assert_eq!(StudentName::parse(" \u{a0}"), Err(TextError::Blank));
        assert_eq!(StudentName::parse("x".repeat(101)), Err(TextError::TooLong { max: 100 }));
        assert_eq!(StudentName::parse("a\0b"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn name_part_matches_in_any_case() {
        let name = StudentName::parse("Åsa Strauß").unwrap().folded();
        for part in ["åSA", "STRAUSS", "a s"] {
            assert!(name.contains(NamePart::parse(part).unwrap().folded()), "{part}");
        }
    }
}
