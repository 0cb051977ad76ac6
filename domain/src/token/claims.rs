//! Claims of access tokens.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::kernel::hex;
use crate::{Random, RandomError, SessionId, UserId};

/// Token id (`jti`, RFC 7519, section 4.1.7): 128 random bits as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenId(String);

impl TokenId {
    /// # Errors
    /// [`RandomError`] if the random source fails.
    pub fn random(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        Ok(Self(hex::encode(&bytes)))
    }

    /// Id of a verified token, in any form.
    #[must_use]
    pub const fn from_token(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lifetime of a token: 1 second to 3650 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetime(Duration);

/// The duration is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from 1 second to 3650 days")]
pub struct TokenLifetimeError;

impl TokenLifetime {
    /// Lifetime in whole seconds; fractions are truncated.
    ///
    /// # Errors
    /// [`TokenLifetimeError`] outside 1 second to 3650 days.
    pub fn new(lifetime: Duration) -> Result<Self, TokenLifetimeError> {
        let whole = Duration::seconds(lifetime.whole_seconds());
        if (Duration::SECOND..=Duration::days(3650)).contains(&whole) {
            Ok(Self(whole))
        } else {
            Err(TokenLifetimeError)
        }
    }

    /// Lifetime in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.whole_seconds()
    }
}

/// Claims of an access token. The signer adds and checks the issuer and the audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub user_id: UserId,
    /// Session of the token. The token is valid only while the session is open.
    pub session_id: SessionId,
    pub token_id: TokenId,
    /// Whole seconds.
    pub issued_at: OffsetDateTime,
    /// Whole seconds; exclusive.
    pub expires_at: OffsetDateTime,
}

impl Claims {
    /// Claims of a token that is issued at `now`.
    #[must_use]
    pub fn new(
        user_id: UserId,
        session_id: SessionId,
        token_id: TokenId,
        now: OffsetDateTime,
        lifetime: TokenLifetime,
    ) -> Self {
        let issued_at = whole_second(now);
        Self { user_id, session_id, token_id, issued_at, expires_at: issued_at + lifetime.0 }
    }

    /// Shortens the lifetime to end at `end`, but to no less than one second.
    pub fn end_by(&mut self, end: OffsetDateTime) {
        self.expires_at = self.expires_at.min(whole_second(end)).max(self.issued_at + Duration::SECOND);
    }
}

fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}

/// A signed token in its compact form (RFC 7515, section 7.1). Excluded from debug output.
pub struct SignedToken(SecretString);

impl SignedToken {
    #[must_use]
    pub fn new(compact: String) -> Self {
        Self(compact.into())
    }

    /// The compact form. Use for the response to the client only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn token_lifetime_out_of_range_is_rejected() {
        assert!(TokenLifetime::new(Duration::SECOND).is_ok());
        assert!(TokenLifetime::new(Duration::days(3650)).is_ok());
        for wrong in [Duration::milliseconds(999), Duration::ZERO, Duration::seconds(-1), Duration::days(3651)] {
            assert_eq!(TokenLifetime::new(wrong), Err(TokenLifetimeError), "{wrong}");
        }
    }

    #[test]
    fn claims_are_dated_in_whole_seconds() {
        let lifetime = TokenLifetime::new(Duration::MINUTE).unwrap();
        let (user, session) = (UserId::try_from(1).unwrap(), SessionId::try_from(2).unwrap());
        let id = TokenId::from_token("x".into());
        let mut claims = Claims::new(user, session, id, datetime!(2026-11-23 12:00:00.999 UTC), lifetime);
        assert_eq!(claims.issued_at, datetime!(2026-11-23 12:00 UTC));
        assert_eq!(claims.expires_at, datetime!(2026-11-23 12:01 UTC));
        claims.end_by(datetime!(2026-11-23 12:02 UTC));
        assert_eq!(claims.expires_at, datetime!(2026-11-23 12:01 UTC));
        claims.end_by(datetime!(2026-11-23 12:00:30.5 UTC));
        assert_eq!(claims.expires_at, datetime!(2026-11-23 12:00:30 UTC));
    }
}
