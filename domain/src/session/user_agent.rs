//! User agents of sessions.

/// User agent of a client, by which a user can recognise a session: 1 to 256 characters without control characters. Unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    /// Maximum length in characters.
    pub const MAX_CHARS: usize = 256;

    /// Removes control characters and truncates to [`UserAgent::MAX_CHARS`]. `None` if nothing remains.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let text: String = name.chars().filter(|c| !c.is_control()).take(Self::MAX_CHARS).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
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
    fn user_agent_is_bounded_and_printable() {
        let text = |name: &str| UserAgent::of(name).map(|text| text.as_str().to_owned());
        assert_eq!(text("curl/8.5\u{7}\n").as_deref(), Some("curl/8.5"));
        assert_eq!(text(&"x".repeat(300)).map(|text| text.len()), Some(256));
        assert_eq!(text(" \t"), None);
    }
}
