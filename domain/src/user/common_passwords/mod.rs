//! Check for common passwords (NIST SP 800-63B-4, section 3.1.1; ASVS 5.0, 6.2.4 and 6.2.12).

mod list;
#[cfg(test)]
mod tests;

use crate::kernel::fold;

/// Returns `true` if a password is in the list, ignoring case, white space, hyphens, underscores and full stops.
pub(super) fn is_common(password: &str) -> bool {
    let folded = fold(password);
    let joined: String = folded.chars().filter(|&c| !c.is_whitespace() && !"-_.".contains(c)).collect();
    list::contains(&folded) || list::contains(&joined)
}
