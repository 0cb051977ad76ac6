//! Who signs tokens, for whom, and how far clocks may disagree.

use thiserror::Error;
use time::Duration;

/// What every token of this service says besides its bearer, and how its dates are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) leeway: Duration,
}

/// The values make no policy; says the rule broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenPolicyError {
    #[error("the token issuer must have 1 to {} characters and no control characters", TokenPolicy::MAX_NAME_CHARS)]
    Issuer,
    #[error("the token audience must have 1 to {} characters and no control characters", TokenPolicy::MAX_NAME_CHARS)]
    Audience,
    #[error("the token leeway must be from 0 to 60 seconds")]
    Leeway,
}

impl TokenPolicy {
    /// The most characters that an issuer or an audience has: they stand in every token.
    pub const MAX_NAME_CHARS: usize = 255;
    /// The most that clocks may disagree.
    pub const MAX_LEEWAY: Duration = Duration::SECOND.saturating_mul(60);

    /// `issuer` and `audience` go into `iss` and `aud` (RFC 7519, section 4.1) and are compared character by
    /// character; `leeway` lengthens a token's life at both ends (`exp` and `nbf`).
    ///
    /// # Errors
    /// [`TokenPolicyError`]
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        leeway: Duration,
    ) -> Result<Self, TokenPolicyError> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if !is_name(&issuer) {
            return Err(TokenPolicyError::Issuer);
        }
        if !is_name(&audience) {
            return Err(TokenPolicyError::Audience);
        }
        if !(Duration::ZERO..=Self::MAX_LEEWAY).contains(&leeway) {
            return Err(TokenPolicyError::Leeway);
        }
        Ok(Self { issuer, audience, leeway })
    }
}

fn is_name(text: &str) -> bool {
    (1..=TokenPolicy::MAX_NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 7.
    #[test]
    fn leeway_is_0_to_60_seconds() {
        let with = |leeway| TokenPolicy::new("issuer", "audience", leeway).err();
        for right in [Duration::ZERO, Duration::SECOND, Duration::seconds(60)] {
            assert_eq!(with(right), None, "{right}");
        }
        for wrong in [Duration::nanoseconds(-1), Duration::milliseconds(60_001), Duration::MAX, Duration::MIN] {
            assert_eq!(with(wrong), Some(TokenPolicyError::Leeway), "{wrong}");
        }
    }

    /// REQ 9.
    #[test]
    fn issuer_and_audience_are_named() {
        for wrong in ["", "a\nb", &"x".repeat(256)] {
            assert_eq!(TokenPolicy::new(wrong, "a", Duration::ZERO), Err(TokenPolicyError::Issuer), "{wrong:?}");
            assert_eq!(TokenPolicy::new("i", wrong, Duration::ZERO), Err(TokenPolicyError::Audience), "{wrong:?}");
        }
    }
}
