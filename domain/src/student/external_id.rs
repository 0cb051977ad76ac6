//! Ids of students in other systems.

use crate::kernel::{TextError, is_invisible, line, new_line, text};

text! {
    /// The id of a student in another system, such as that of the school, in NFC: 1 to 64 printable characters, without white space
    /// at the ends. Unique among students, and case-sensitive.
    ExternalId, 1..=64, PATTERN, line::<ExternalId>, new new => TextError
}

const PATTERN: &str = r"^[^\x00-\x20\x7F]([^\x00-\x1F\x7F]*[^\x00-\x20\x7F])?$";

/// Invisible characters are rejected, because two ids that look alike would be different.
fn new(text: &str) -> Result<String, TextError> {
    let text = new_line::<ExternalId>(text)?;
    let is_printable = |c: char| c == ' ' || !(c.is_whitespace() || is_invisible(c));
    if text.trim() == text && text.chars().all(is_printable) { Ok(text) } else { Err(TextError::Unprintable) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn external_id_keeps_its_spelling() {
        for id in ["A12", "a12", "007", "7", "2026/IX-b 7", "आ१२", "é", &"x".repeat(64)] {
            assert_eq!(ExternalId::parse(id).as_ref().map(ExternalId::as_str), Ok(id));
        }
        assert_eq!(ExternalId::parse("e\u{301}").unwrap().as_str(), "é");
    }

    #[test]
    fn invalid_external_id_reports_violated_rule() {
        for blank in ["", " ", "\u{200b}"] {
            assert_eq!(ExternalId::parse(blank), Err(TextError::Blank), "{blank:?}");
        }
        assert_eq!(ExternalId::parse("x".repeat(65)), Err(TextError::TooLong { max: 64 }));
        assert_eq!(ExternalId::parse("a\tb"), Err(TextError::ControlCharacter));
        for unprintable in [" a", "a ", "a\u{a0}", "a\u{a0}b", "a\u{200b}", "\u{feff}a", "a\u{200d}b", "a\u{2028}b"] {
            assert_eq!(ExternalId::parse(unprintable), Err(TextError::Unprintable), "{unprintable:?}");
        }
    }
}
