//! A student's name, and the part of one that a search looks for.

use thiserror::Error;

use crate::fold::fold;

/// A name as people write it: 1 to 100 characters, not blank, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentName(String);

/// The text is no name; says the rule it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StudentNameError {
    #[error("must not be blank")]
    Blank,
    #[error("must have at most {} characters", StudentName::MAX_CHARS)]
    TooLong,
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl StudentName {
    /// The most characters (Unicode scalar values) a name has.
    pub const MAX_CHARS: usize = 100;

    /// What a name may hold as a regular expression (ECMA-262), for documents; the length comes on top.
    pub const PATTERN: &'static str = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$";

    /// # Errors
    /// [`StudentNameError`] names the rule that `text` breaks.
    pub fn parse(text: impl Into<String>) -> Result<Self, StudentNameError> {
        let text = text.into();
        check(&text)?;
        Ok(Self(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with its case folded: what a store keeps beside the name, and searches.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

impl From<StudentName> for String {
    fn from(name: StudentName) -> Self {
        name.0
    }
}

/// A part of a name, to search for without regard to case: 1 to 100 characters, not blank, without
/// control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePart(String);

impl NamePart {
    /// # Errors
    /// [`StudentNameError`]: a part obeys the rules of a whole name.
    pub fn parse(text: &str) -> Result<Self, StudentNameError> {
        check(text)?;
        Ok(Self(fold(text)))
    }

    /// The part with its case folded, to be found within [`StudentName::folded`].
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> Result<(), StudentNameError> {
    if text.chars().nth(StudentName::MAX_CHARS).is_some() {
        return Err(StudentNameError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(StudentNameError::ControlCharacter);
    }
    if text.trim().is_empty() {
        return Err(StudentNameError::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_written() {
        for name in ["Asha", "Émile d'Arc", " 李 ", &"x".repeat(100), &"é".repeat(100)] {
            assert_eq!(StudentName::parse(name).as_ref().map(StudentName::as_str), Ok(name));
        }
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_told_which() {
        assert_eq!(StudentName::parse(""), Err(StudentNameError::Blank));
        assert_eq!(StudentName::parse(" \u{a0}"), Err(StudentNameError::Blank));
        assert_eq!(StudentName::parse("x".repeat(101)), Err(StudentNameError::TooLong));
        assert_eq!(StudentName::parse("a\0b"), Err(StudentNameError::ControlCharacter));
    }

    #[test]
    fn a_part_is_found_whatever_its_case() {
        let name = StudentName::parse("Åsa Strauß").unwrap().folded();
        for part in ["åSA", "STRAUSS", "a s"] {
            assert!(name.contains(NamePart::parse(part).unwrap().folded()), "{part}");
        }
    }
}
