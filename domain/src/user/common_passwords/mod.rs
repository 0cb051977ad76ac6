//! Which passwords are common: the first that anybody tries (NIST SP 800-63B-4, section 3.1.1; ASVS 6.2.4, 6.2.12).

mod composition;
mod known;
mod list;
#[cfg(test)]
mod tests;

use super::PasswordPolicy;
use crate::kernel::fold;

/// What people put between words, and what is as good as nothing there.
const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// Whether a password is common, or nothing but common ones with what people add to them: it stands in the list,
/// is a keyboard walk or a sequence, is such pieces joined, or repeats a piece that is one or is too short for a
/// password. Without regard to case and to separators. No more is guessed: `p4ssw0rd` is common because it is
/// in the list, and not because a rule reads digits as letters.
pub(super) fn is_common(password: &str) -> bool {
    let folded: Vec<char> = fold(password).chars().collect();
    let joined: Vec<char> = folded.iter().copied().filter(|&c| !is_separator(c)).collect();
    is_weak(&folded) || joined.len() < folded.len() && is_weak(&joined)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || SEPARATORS.contains(&c)
}

fn is_weak(text: &[char]) -> bool {
    if composition::is_of_common_pieces(text) {
        return true;
    }
    let repeated = repeated(text);
    repeated.len() < text.len()
        && (repeated.len() < PasswordPolicy::LEAST_MIN_CHARS || composition::is_of_common_pieces(repeated))
}

/// The shortest piece that makes up a text by being there twice or more, the last time perhaps in part; the whole
/// text where there is none.
fn repeated(text: &[char]) -> &[char] {
    let period = (1..=text.len() / 2).find(|&period| text.iter().zip(&text[period..]).all(|(c, later)| c == later));
    &text[..period.unwrap_or(text.len())]
}
