//! A path as the log tells it.

use std::fmt;

/// Leaves out of a path what no path of ours has and every token is: a segment of more than 48 bytes.
pub struct LoggedPath<'a>(pub &'a str);

/// Longer than any segment of an operation's path; refresh tokens have 64 bytes, access tokens more.
const LONGEST_SEGMENT: usize = 48;

impl fmt::Display for LoggedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.0.split('/').enumerate() {
            let separator = if number == 0 { "" } else { "/" };
            let told = if segment.len() > LONGEST_SEGMENT { "…" } else { segment };
            write!(f, "{separator}{told}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn req_03_a_segment_that_may_be_a_token_is_left_out() {
        for whole in ["/", "/students/7", "/users/9007199254740991/password-reset", "*", "//", "/.well-known/jwks.json"]
        {
            assert_eq!(LoggedPath(whole).to_string(), whole);
        }
        let refresh_token = "0f".repeat(32);
        assert_eq!(LoggedPath(&format!("/me/{refresh_token}/x")).to_string(), "/me/…/x");
        assert_eq!(LoggedPath(&refresh_token).to_string(), "…");
    }
}
