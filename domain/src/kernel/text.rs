//! Text value objects, and the rules for a single line of text.

use std::fmt::Display;
use std::str::FromStr;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use super::is_invisible;

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

    /// Reads stored text unchanged, by the rules that every release has applied: text from an earlier release can violate a
    /// newer rule.
    ///
    /// # Errors
    /// The rule that `text` violates.
    fn stored(text: &str) -> Result<Self, Self::Err>;

    fn as_str(&self) -> &str;
}

/// Declares a [`Text`] by its length, its pattern, and the function that checks every rule, including these two. If new text has
/// further rules, the function after `new` applies them and returns the text to store.
macro_rules! text {
    ($(#[$meta:meta])+ $name:ident, $min:literal..=$max:literal, $pattern:expr, $check:expr => $error:ty) => {
        $crate::kernel::text! {
            $(#[$meta])+
            $name, $min..=$max, $pattern, $check, new |text: &str| $check(text).map(|()| text.to_owned()) => $error
        }
    };
    ($(#[$meta:meta])+ $name:ident, $min:literal..=$max:literal, $pattern:expr, $check:expr, new $new:expr => $error:ty) => {
        $(#[$meta])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $crate::Text for $name {
            const MIN_CHARS: usize = $min;
            const MAX_CHARS: usize = $max;
            const PATTERN: &'static str = $pattern;

            fn stored(text: &str) -> Result<Self, $error> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

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
                $new(text).map(Self)
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
    #[error("must contain only printable characters, and no white space at its ends")]
    Unprintable,
}

/// Normalizes a new line of text to NFC, and checks it: with the rules of [`line()`], and at least one visible character.
///
/// # Errors
/// [`TextError`], the rule that `text` violates.
pub(crate) fn new_line<T: Text>(text: &str) -> Result<String, TextError> {
    let text: String = text.nfc().collect();
    line::<T>(&text)?;
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) { Err(TextError::Blank) } else { Ok(text) }
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

    text! {
        /// At most three characters in NFC.
        ShortInNfc, 1..=3, LINE_PATTERN, line::<ShortInNfc>, new new_line::<ShortInNfc> => TextError
    }

    #[test]
    fn new_line_is_normalized_before_its_length_is_counted() {
        assert_eq!(ShortInNfc::parse("e\u{301}e\u{301}e\u{301}").as_ref().map(Text::as_str), Ok("ééé"));
        // Decomposes in NFC.
        assert_eq!(ShortInNfc::parse("\u{fb2c}\u{fb2c}"), Err(TextError::TooLong { max: 3 }));
    }

    #[test]
    fn new_line_of_invisible_characters_is_blank() {
        for blank in ["\u{200d}", " \u{200b}\u{a0}", "\u{202e}", "\u{2800}\u{3164}", "\u{feff}"] {
            assert_eq!(ShortInNfc::parse(blank), Err(TextError::Blank), "{blank:?}");
            assert_eq!(
                ShortInNfc::stored(blank).as_ref().map(Text::as_str).ok(),
                (!blank.trim().is_empty()).then_some(blank)
            );
        }
    }

    #[test]
    fn stored_line_is_unchanged() {
        assert_eq!(ShortInNfc::stored("e\u{301}").as_ref().map(Text::as_str), Ok("e\u{301}"));
        assert_eq!(ShortInNfc::stored("a\0"), Err(TextError::ControlCharacter));
    }
}
