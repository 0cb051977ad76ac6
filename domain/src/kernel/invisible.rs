//! Invisible characters, and text in which they are escaped.

use std::fmt::{Display, Formatter, Result, Write as _};

/// Returns `true` for characters without a glyph of their own: the property `Default_Ignorable_Code_Point` of Unicode, which
/// contains the bidirectional controls, joiners, variation selectors and tags, and the blank Braille pattern.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Text for people, with invisible characters, control characters and line separators as `\u{202e}`, so that text from outside
/// cannot reorder, hide or forge what is shown. Line feeds and tabs are kept.
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'f, 'a>(&'f mut Formatter<'a>);

impl std::fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> Result {
        text.chars().try_for_each(|c| {
            if is_escaped(c) { write!(self.0, "{}", c.escape_unicode()) } else { self.0.write_char(c) }
        })
    }
}

/// U+FFF9 to U+FFFB annotate text that is usually hidden.
fn is_escaped(c: char) -> bool {
    let is_control = c.is_control() && !matches!(c, '\n' | '\t');
    is_control || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_bidirectional_controls_are_escaped() {
        for c in "\u{200b}\u{200d}\u{202e}\u{2066}\u{feff}\u{e0041}\u{fe0f}\u{61c}\u{ad}\u{1b}\u{9b}\r\u{2028}\u{fffa}"
            .chars()
        {
            assert_eq!(Escaped(format!("a{c}b")).to_string(), format!("a\\u{{{:x}}}b", u32::from(c)));
        }
    }

    #[test]
    fn visible_text_is_not_escaped() {
        let text = "1\tÅsa \"मीरा\" ß 李 e\u{301}\u{a0}\n";
        assert_eq!(Escaped(text).to_string(), text);
    }
}
