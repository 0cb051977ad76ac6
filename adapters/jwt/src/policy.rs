//! Token policy: issuer, audience and clock leeway.

use thiserror::Error;
use time::Duration;

/// Issuer and audience of all tokens, and the leeway for their dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) leeway: Duration,
}

/// Reason why a policy is invalid.
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
    /// Maximum number of characters of issuer and audience, which are part of every token.
    pub const MAX_NAME_CHARS: usize = 255;
    /// Maximum clock leeway.
    pub const MAX_LEEWAY: Duration = Duration::SECOND.saturating_mul(60);

    /// `issuer` and `audience` are the values of `iss` and `aud` (RFC 7519, section 4.1), compared exactly. `leeway`
    /// extends the validity at both ends (`exp` and `nbf`).
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
    fn leeway_outside_0_to_60_seconds_is_rejected() {
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
    fn invalid_issuer_or_audience_is_rejected() {
        for wrong in ["", "a\nb", &"x".repeat(256)] {
            assert_eq!(TokenPolicy::new(wrong, "a", Duration::ZERO), Err(TokenPolicyError::Issuer), "{wrong:?}");
            assert_eq!(TokenPolicy::new("i", wrong, Duration::ZERO), Err(TokenPolicyError::Audience), "{wrong:?}");
        }
    }
}
