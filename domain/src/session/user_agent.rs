//! What a client calls itself.

/// The name that a client gives itself, so that its user recognises the session: 1 to 256 characters, none of them a
/// control character. It is unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    /// The most characters that are kept.
    pub const MAX_CHARS: usize = 256;

    /// What can be kept of a name: control characters are left out, and what is too long is cut off. `None` where
    /// nothing is left.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let kept: String = name.chars().filter(|c| !c.is_control()).take(Self::MAX_CHARS).collect();
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_calls_itself_is_bounded_and_printable() {
        let kept = |name: &str| UserAgent::of(name).map(|kept| kept.as_str().to_owned());
        assert_eq!(kept("curl/8.5\u{7}\n").as_deref(), Some("curl/8.5"));
        assert_eq!(kept(&"x".repeat(300)).map(|kept| kept.len()), Some(256));
        assert_eq!(kept(" \t"), None);
    }
}
