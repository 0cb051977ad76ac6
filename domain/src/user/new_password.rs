//! Rules of a new password (NIST SP 800-63B-4, section 3.1.1; ASVS 6.2).

use secrecy::ExposeSecret as _;
use thiserror::Error;

use super::common_passwords::is_common;
use super::password::opaque_string;
use super::{Password, Username};
use crate::kernel::fold;

/// Configurable rules for new passwords. They do not apply to stored passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_chars: usize,
}

/// The minimum length is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an integer from {} to {}", PasswordPolicy::MIN_MIN_CHARS, PasswordPolicy::MAX_MIN_CHARS)]
pub struct PasswordPolicyError;

impl PasswordPolicy {
    /// Lower bound of the minimum length.
    pub const MIN_MIN_CHARS: usize = 8;
    /// Upper bound of the minimum length: passwords of 64 characters have to be accepted.
    pub const MAX_MIN_CHARS: usize = 64;

    /// Policy with a minimum length in characters (Unicode scalar values).
    ///
    /// # Errors
    /// [`PasswordPolicyError`] outside [`PasswordPolicy::MIN_MIN_CHARS`] to [`PasswordPolicy::MAX_MIN_CHARS`].
    pub const fn new(min_chars: usize) -> Result<Self, PasswordPolicyError> {
        match min_chars {
            Self::MIN_MIN_CHARS..=Self::MAX_MIN_CHARS => Ok(Self { min_chars }),
            _ => Err(PasswordPolicyError),
        }
    }

    /// Minimum length of a new password, in characters.
    #[must_use]
    pub const fn min_chars(self) -> usize {
        self.min_chars
    }
}

/// Minimum of 15 characters, as for passwords without a second factor.
impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_chars: 15 }
    }
}

/// New password, prepared by RFC 8265: not shorter than the policy's minimum, at most 128 characters, not common, and without the
/// username. It is not truncated, and there are no composition rules.
pub struct NewPassword(Password);

/// Rule that a new password violates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NewPasswordError {
    #[error("must have at least {min_chars} characters")]
    TooShort { min_chars: usize },
    #[error("must have at most {} characters", Password::MAX_CHARS)]
    TooLong,
    #[error("must not contain control characters, invisible characters or unassigned code points (RFC 8265)")]
    Disallowed,
    #[error("must not contain the username")]
    ContainsUsername,
    #[error("must not be a common password; use a phrase of several unusual words")]
    Common,
}

impl NewPassword {
    /// Checks the rules. The username rule also applies to short usernames, because an exception would be hard to explain. If
    /// `username` is `None`, because it is invalid, the other rules are still checked.
    ///
    /// # Errors
    /// [`NewPasswordError`], the first rule that `text` violates.
    pub fn parse(text: &str, username: Option<&Username>, policy: PasswordPolicy) -> Result<Self, NewPasswordError> {
        let min_chars = policy.min_chars();
        if text.is_empty() {
            return Err(NewPasswordError::TooShort { min_chars });
        }
        let text = opaque_string(text).ok_or(NewPasswordError::Disallowed)?;
        let text = text.expose_secret();
        if text.chars().nth(min_chars - 1).is_none() {
            return Err(NewPasswordError::TooShort { min_chars });
        }
        let password = Password::parse(text).map_err(|_| NewPasswordError::TooLong)?;
        let folded = fold(text);
        if username.is_some_and(|username| username.keys().iter().any(|key| folded.contains(key))) {
            return Err(NewPasswordError::ContainsUsername);
        }
        if is_common(text) {
            return Err(NewPasswordError::Common);
        }
        Ok(Self(password))
    }
}

impl From<NewPassword> for Password {
    fn from(new: NewPassword) -> Self {
        new.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text of `chars` characters of two bytes each, without a pattern.
    fn uncommon_text(chars: usize) -> String {
        let letters = ('\u{410}'..='\u{42f}').chain('\u{391}'..='\u{3a1}').chain('\u{c0}'..='\u{d6}');
        let text: Vec<char> = letters.cycle().step_by(7).take(chars).collect();
        assert_eq!(text.len(), chars);
        text.into_iter().collect()
    }

    fn error(text: &str, min_chars: usize) -> Option<NewPasswordError> {
        let policy = PasswordPolicy::new(min_chars).unwrap();
        NewPassword::parse(text, "Asha".parse().ok().as_ref(), policy).err()
    }

    /// REQ 14.
    #[test]
    fn new_password_has_15_to_128_code_points() {
        assert_eq!(PasswordPolicy::default().min_chars(), 15);
        assert_eq!(error(&uncommon_text(14), 15), Some(NewPasswordError::TooShort { min_chars: 15 }));
        assert_eq!(error(&uncommon_text(15), 15), None);
        assert_eq!(error(&uncommon_text(128), 15), None);
        assert_eq!(error(&uncommon_text(129), 15), Some(NewPasswordError::TooLong));
        assert_eq!(error("", 15), Some(NewPasswordError::TooShort { min_chars: 15 }));
    }

    /// REQ 14.
    #[test]
    fn minimum_length_is_configurable_from_8_to_64() {
        for (chars, fits) in [(0, false), (7, false), (8, true), (64, true), (65, false), (usize::MAX, false)] {
            assert_eq!(PasswordPolicy::new(chars).is_ok(), fits, "{chars}");
        }
        assert_eq!(error(&uncommon_text(7), 8), Some(NewPasswordError::TooShort { min_chars: 8 }));
        assert_eq!(error(&uncommon_text(8), 8), None);
        assert_eq!(error(&uncommon_text(63), 64), Some(NewPasswordError::TooShort { min_chars: 64 }));
        assert_eq!(error(&uncommon_text(64), 64), None);
    }

    /// REQ 14.
    #[test]
    fn new_password_needs_no_composition() {
        for text in ["only small letters fit", "ONLY GREAT LETTERS FIT", "839204716503928", "%/)=*?}{$&\"~§<|"] {
            assert_eq!(error(text, 15), None, "{text}");
        }
    }

    /// REQ 14.
    #[test]
    fn new_password_is_neither_truncated_nor_changed() {
        let text = format!(" {} ", uncommon_text(126));
        let new = NewPassword::parse(&text, "Asha".parse().ok().as_ref(), PasswordPolicy::default());
        assert_eq!(Password::from(new.ok().unwrap()).expose(), text);
    }

    /// REQ 14.
    #[test]
    fn new_password_is_prepared_by_rfc_8265() {
        let prepared = |text: &str| {
            let new = NewPassword::parse(text, None, PasswordPolicy::default());
            new.map(|new| Password::from(new).expose().to_owned())
        };
        assert_eq!(prepared("slo\u{308}w\u{a0}river\u{3000}under").as_deref(), Ok("slöw river under"));
        for wrong in
            ["slow\u{7}river under", "slow\u{200b}river under", "slow river \u{378} under", "slow\u{202e}river under"]
        {
            assert_eq!(prepared(wrong), Err(NewPasswordError::Disallowed), "{wrong:?}");
        }
        assert_eq!(prepared(&"o\u{308}".repeat(14)), Err(NewPasswordError::TooShort { min_chars: 15 }));
        assert_eq!(prepared(&"u\u{308}o\u{308}a\u{308}".repeat(42)).as_deref(), Ok(&*"üöä".repeat(42)));
    }

    /// REQ 14.
    #[test]
    fn new_password_must_not_contain_username() {
        let error =
            |text, name: &str| NewPassword::parse(text, name.parse().ok().as_ref(), PasswordPolicy::default()).err();
        let contains = Some(NewPasswordError::ContainsUsername);
        assert_eq!(error("the horse of aSHa runs", "Asha"), contains);
        assert_eq!(error("eine lange STRASSE hinab", "straße"), contains);
        assert_eq!(error("the horse of \u{212b}sa runs", "A\u{30a}sa"), contains);
        assert_eq!(error("the horse of a sha runs", "Asha"), None);
        assert_eq!(error("correct horse battery", "y"), contains, "short usernames are no exception");
        assert_eq!(error("correct horse battery", "z"), None);
    }

    /// REQ 14.
    #[test]
    fn new_password_must_not_be_common() {
        assert_eq!(error("manchesterunited", 15), Some(NewPasswordError::Common));
        assert_eq!(error("Manchester United", 15), Some(NewPasswordError::Common));
        assert_eq!(error("trustno1", 8), Some(NewPasswordError::Common));
    }

    #[test]
    fn error_message_states_violated_rule() {
        let message = |text: &str| error(text, 8).map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(message("seven c"), "must have at least 8 characters");
        assert_eq!(message(&uncommon_text(129)), "must have at most 128 characters");
        assert_eq!(message("ashas horse"), "must not contain the username");
        assert!(message("password").starts_with("must not be a common password"));
    }
}
