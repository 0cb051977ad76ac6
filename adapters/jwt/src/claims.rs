//! Wire format of the claims of an access token (RFC 7519, section 4.1; RFC 9068, section 2.2).

use std::borrow::Cow;

use domain::token::{Claims, TokenError, TokenId};
use domain::{SessionId, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;
use time::{Duration, OffsetDateTime};

use crate::TokenPolicy;

/// Claims to sign.
#[derive(Serialize)]
pub(crate) struct SignedClaims<'a> {
    user_id: i64,
    sub: String,
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    sid: String,
    jti: &'a str,
}

impl<'a> SignedClaims<'a> {
    pub(crate) fn new(claims: &'a Claims, policy: &'a TokenPolicy) -> Self {
        Self {
            user_id: claims.user_id.get(),
            sub: claims.user_id.to_string(),
            iss: &policy.issuer,
            aud: &policy.audience,
            iat: claims.issued_at.unix_timestamp(),
            exp: claims.expires_at.unix_timestamp(),
            sid: claims.session_id.to_string(),
            jti: claims.token_id.as_str(),
        }
    }
}

/// Parsed claims, not yet validated. Duplicate claims are rejected, unknown claims ignored.
#[derive(Deserialize)]
pub(crate) struct ReadClaims<'a> {
    user_id: i64,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Audience<'a>,
    iat: NumericDate,
    exp: NumericDate,
    #[serde(default, deserialize_with = "not_null")]
    nbf: Option<NumericDate>,
    #[serde(borrow)]
    sid: Cow<'a, str>,
    jti: String,
}

/// One or more audience names (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Several(#[serde(borrow)] Vec<Cow<'a, str>>),
}

/// Seconds since 1970 with an optional fraction (RFC 7519, section 2), in the range of [`OffsetDateTime`].
#[derive(Deserialize)]
#[serde(try_from = "f64")]
struct NumericDate(OffsetDateTime);

impl TryFrom<f64> for NumericDate {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        Duration::checked_seconds_f64(seconds)
            .and_then(|since| OffsetDateTime::UNIX_EPOCH.checked_add(since))
            .map(Self)
            .ok_or("not a date")
    }
}

fn not_null<'de, D: Deserializer<'de>>(claim: D) -> Result<Option<NumericDate>, D::Error> {
    NumericDate::deserialize(claim).map(Some)
}

impl<'a> ReadClaims<'a> {
    /// # Errors
    /// [`TokenError::Malformed`] if the text is not JSON; [`TokenError::Claims`] if a claim is missing, duplicated or of
    /// the wrong type.
    pub(crate) fn parse(json: &'a str) -> Result<Self, TokenError> {
        serde_json::from_str(json).map_err(|error| match error.classify() {
            Category::Data => TokenError::Claims,
            Category::Io | Category::Syntax | Category::Eof => TokenError::Malformed,
        })
    }

    /// Validates the claims at `now` against the policy.
    ///
    /// # Errors
    /// [`TokenError::Claims`], [`TokenError::Issuer`], [`TokenError::Audience`], [`TokenError::Expired`] or
    /// [`TokenError::NotYetValid`].
    pub(crate) fn validate(self, policy: &TokenPolicy, now: OffsetDateTime) -> Result<Claims, TokenError> {
        let user_id = UserId::try_from(self.user_id).map_err(|_| TokenError::Claims)?;
        let session_id = self.sid.parse::<SessionId>().map_err(|_| TokenError::Claims)?;
        if self.sub.parse() != Ok(user_id) || self.jti.is_empty() {
            return Err(TokenError::Claims);
        }
        if self.iss != policy.issuer {
            return Err(TokenError::Issuer);
        }
        if !self.aud.contains(&policy.audience) {
            return Err(TokenError::Audience);
        }
        if now.saturating_sub(policy.leeway) >= self.exp.0 {
            return Err(TokenError::Expired);
        }
        if self.nbf.is_some_and(|nbf| now.saturating_add(policy.leeway) < nbf.0) {
            return Err(TokenError::NotYetValid);
        }
        Ok(Claims {
            user_id,
            session_id,
            token_id: TokenId::from_token(self.jti),
            issued_at: whole_second(&self.iat),
            expires_at: whole_second(&self.exp),
        })
    }
}

impl Audience<'_> {
    fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(name) => name == audience,
            Self::Several(names) => names.iter().any(|name| name == audience),
        }
    }
}

/// Truncates the date to whole seconds.
fn whole_second(NumericDate(date): &NumericDate) -> OffsetDateTime {
    date.replace_nanosecond(0).unwrap_or(*date)
}
