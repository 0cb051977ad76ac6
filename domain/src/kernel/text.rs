//! Text value objects, and the rules for a single line of text.

use std::fmt::Display;
use std::str::FromStr;

use thiserror::Error;

/// A text value object. Declared by [`text!`].
pub trait Text: FromStr<Err: Display> + Display + Send + Sync + 'static {
    /// Minimum number of characters (Unicode scalar values).
    const MIN_CHARS: usize;
    /// Maximum number of characters (Unicode scalar values).
    const MAX_CHARS: usize;
    /// Allowed characters as a regular expression (ECMA-262), for the API document. Does not include the length.
    const PATTERN: &'static str;

    /// # Errors
    /// The rule that `text` violates.
    fn parse(text: impl AsRef<str>) -> Result<Self, Self::Err> {
        text.as_ref().parse()
    }

    fn as_str(&self) -> &str;
}

/// Declares a [`Text`] by its length, its pattern, and the function that checks every rule, including these two.
macro_rules! text {
    ($(#[$meta:meta])+ $name:ident, $min:literal..=$max:literal, $pattern:expr, $check:expr => $error:ty) => {
        $(#[$meta])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $crate::Text for $name {
            const MIN_CHARS: usize = $min;
            const MAX_CHARS: usize = $max;
            const PATTERN: &'static str = $pattern;

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
    };
}
pub(crate) use text;

/// Characters that [`line()`] accepts as a regular expression (ECMA-262), without the length. Limited to ASCII, because engines
/// disagree about character classes beyond it; the parser checks the others.
pub const LINE_PATTERN: &str = r"^[^\x00-\x1F\x7F]*[^\x00-\x20\x7F][^\x00-\x1F\x7F]*$";

/// Rule that a line of text violates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    #[error("must not be blank")]
    Blank,
    #[error("must have at most {max} characters")]
    TooLong { max: usize },
    #[error("must not contain control characters")]
    ControlCharacter,
}

/// Checks one line of text: not blank, no control characters, and no longer than a `T`.
///
/// # Errors
/// [`TextError`], the rule that `text` violates.
pub(crate) fn line<T: Text>(text: &str) -> Result<(), TextError> {
    if text.chars().nth(T::MAX_CHARS).is_some() {
        return Err(TextError::TooLong { max: T::MAX_CHARS });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    text! {
        /// At most three characters.
        Short, 1..=3, LINE_PATTERN, line::<Short> => TextError
    }

    #[test]
    fn invalid_line_reports_violated_rule() {
        assert_eq!(Short::parse(""), Err(TextError::Blank));
        assert_eq!(Short::parse(" \u{a0}"), Err(TextError::Blank));
        assert_eq!(Short::parse("abcd"), Err(TextError::TooLong { max: 3 }));
        for control in ["a\0b", "a\u{7f}", "a\u{85}"] {
            assert_eq!(Short::parse(control), Err(TextError::ControlCharacter), "{control:?}");
        }
        assert_eq!(Short::parse("éab").as_ref().map(Text::as_str), Ok("éab"));
    }
}
