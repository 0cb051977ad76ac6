//! A student's name, and the part of one that a search looks for.

use crate::kernel::{LINE_PATTERN, TextError, fold, line, text};

text! {
    /// A name as people write it: 1 to 100 characters, not blank, without control characters.
    StudentName, 1..=100, LINE_PATTERN, line::<StudentName> => TextError
}

impl StudentName {
    /// The name with its case folded: what a store keeps beside the name, and searches.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// A part of a name, to search for without regard to case: 1 to 100 characters, not blank, without
/// control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePart(String);

impl NamePart {
    /// # Errors
    /// [`TextError`]: a part obeys the rules of a whole name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line::<StudentName>(text)?;
        Ok(Self(fold(text)))
    }

    /// The part with its case folded, to be found within [`StudentName::folded`].
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
    fn a_name_is_kept_as_written() {
        for name in ["Asha", "Émile d'Arc", " 李 ", &"x".repeat(100), &"é".repeat(100)] {
            assert_eq!(StudentName::parse(name).as_ref().map(StudentName::as_str), Ok(name));
        }
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_told_which() {
        assert_eq!(StudentName::parse(""), Err(TextError::Blank));
        assert_eq!(StudentName::parse(" \u{a0}"), Err(TextError::Blank));
        assert_eq!(StudentName::parse("x".repeat(101)), Err(TextError::TooLong { max: 100 }));
        assert_eq!(StudentName::parse("a\0b"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn a_part_is_found_whatever_its_case() {
        let name = StudentName::parse("Åsa Strauß").unwrap().folded();
        for part in ["åSA", "STRAUSS", "a s"] {
            assert!(name.contains(NamePart::parse(part).unwrap().folded()), "{part}");
        }
    }
}
