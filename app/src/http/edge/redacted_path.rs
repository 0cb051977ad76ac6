//! A path in a log line.

use std::fmt;

/// A path that is displayed without segments of more than 48 bytes: each of them may be a token.
pub struct RedactedPath<'a>(pub &'a str);

/// Longer than any segment of an operation's path; refresh tokens have 64 bytes, access tokens more.
const LONGEST_SEGMENT: usize = 48;

impl fmt::Display for RedactedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.0.split('/').enumerate() {
            let separator = if number == 0 { "" } else { "/" };
            let text = if segment.len() > LONGEST_SEGMENT { "…" } else { segment };
            write!(f, "{separator}{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 3.
    #[test]
    fn long_segment_is_not_logged() {
        for whole in ["/", "/students/7", "/users/9007199254740991/password-reset", "*", "//", "/.well-known/jwks.json"]
        {
            assert_eq!(RedactedPath(whole).to_string(), whole);
        }
        let refresh_token = "0f".repeat(32);
        assert_eq!(RedactedPath(&format!("/me/{refresh_token}/x")).to_string(), "/me/…/x");
        assert_eq!(RedactedPath(&refresh_token).to_string(), "…");
    }
}
