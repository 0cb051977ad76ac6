//! Rules of a new password (NIST SP 800-63B-4, section 3.1.1; ASVS 6.2).

use thiserror::Error;

use super::common_passwords::is_common;
use super::{Password, Username};
use crate::kernel::fold;

/// What an installation asks of new passwords. Those that are stored already are not judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_chars: usize,
}

/// The number cannot be the fewest characters of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from {} to {}", PasswordPolicy::LEAST_MIN_CHARS, PasswordPolicy::MOST_MIN_CHARS)]
pub struct PasswordPolicyError;

impl PasswordPolicy {
    /// The lowest that the fewest characters of a password may be set to.
    pub const LEAST_MIN_CHARS: usize = 8;
    /// The highest: every phrase of 64 characters is taken.
    pub const MOST_MIN_CHARS: usize = 64;

    /// New passwords have `min_chars` characters (Unicode scalar values) or more.
    ///
    /// # Errors
    /// [`PasswordPolicyError`] outside [`PasswordPolicy::LEAST_MIN_CHARS`] to [`PasswordPolicy::MOST_MIN_CHARS`].
    pub const fn new(min_chars: usize) -> Result<Self, PasswordPolicyError> {
        match min_chars {
            Self::LEAST_MIN_CHARS..=Self::MOST_MIN_CHARS => Ok(Self { min_chars }),
            _ => Err(PasswordPolicyError),
        }
    }

    /// The fewest characters of a new password.
    #[must_use]
    pub const fn min_chars(self) -> usize {
        self.min_chars
    }
}

/// 15 characters: what a password has that nothing else stands beside.
impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_chars: 15 }
    }
}

/// A password that somebody chooses now: as long as the policy asks, at most 128 characters, nothing composed by
/// rule, nothing cut off, not common, and without the name of its user.
pub struct NewPassword(Password);

/// The text may not become a password; says the rule it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NewPasswordError {
    #[error("must have at least {min_chars} characters")]
    TooShort { min_chars: usize },
    #[error("must have at most {} characters", Password::MAX_CHARS)]
    TooLong,
    #[error("must not contain the username")]
    ContainsUsername,
    #[error("must not be a common password; use a phrase of several unusual words")]
    Common,
}

impl NewPassword {
    /// The password must not contain its user's name, however short: a user called `a` finds a password without that
    /// letter more easily than a rule with exceptions is understood. Without a username, because it is invalid itself, the
    /// other rules are still checked.
    ///
    /// # Errors
    /// [`NewPasswordError`] names the first rule that `text` breaks.
    pub fn parse(text: &str, username: Option<&Username>, policy: PasswordPolicy) -> Result<Self, NewPasswordError> {
        let min_chars = policy.min_chars();
        if text.chars().nth(min_chars - 1).is_none() {
            return Err(NewPasswordError::TooShort { min_chars });
        }
        let password = Password::parse(text).map_err(|_| NewPasswordError::TooLong)?;
        if username.is_some_and(|username| fold(text).contains(&username.folded())) {
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

    /// As many characters, of two bytes each, that are no pattern.
    fn unusual(chars: usize) -> String {
        let letters = ('\u{410}'..='\u{42f}').chain('\u{391}'..='\u{3a1}').chain('\u{c0}'..='\u{d6}');
        let text: Vec<char> = letters.cycle().step_by(7).take(chars).collect();
        assert_eq!(text.len(), chars);
        text.into_iter().collect()
    }

    fn refused(text: &str, min_chars: usize) -> Option<NewPasswordError> {
        let policy = PasswordPolicy::new(min_chars).unwrap();
        NewPassword::parse(text, "Asha".parse().ok().as_ref(), policy).err()
    }

    /// REQ 14.
    #[test]
    fn new_password_has_15_to_128_code_points() {
        assert_eq!(PasswordPolicy::default().min_chars(), 15);
        assert_eq!(refused(&unusual(14), 15), Some(NewPasswordError::TooShort { min_chars: 15 }));
        assert_eq!(refused(&unusual(15), 15), None);
        assert_eq!(refused(&unusual(128), 15), None);
        assert_eq!(refused(&unusual(129), 15), Some(NewPasswordError::TooLong));
        assert_eq!(refused("", 15), Some(NewPasswordError::TooShort { min_chars: 15 }));
    }

    /// REQ 14.
    #[test]
    fn fewest_code_points_are_configurable_down_to_8() {
        for (chars, fits) in [(0, false), (7, false), (8, true), (64, true), (65, false), (usize::MAX, false)] {
            assert_eq!(PasswordPolicy::new(chars).is_ok(), fits, "{chars}");
        }
        assert_eq!(refused(&unusual(7), 8), Some(NewPasswordError::TooShort { min_chars: 8 }));
        assert_eq!(refused(&unusual(8), 8), None);
        assert_eq!(refused(&unusual(63), 64), Some(NewPasswordError::TooShort { min_chars: 64 }));
        assert_eq!(refused(&unusual(64), 64), None);
    }

    /// REQ 14.
    #[test]
    fn no_composition_is_asked_for() {
        for text in ["only small letters fit", "ONLY GREAT LETTERS FIT", "839204716503928", "%/)=*?}{$&\"~§<|"] {
            assert_eq!(refused(text, 15), None, "{text}");
        }
    }

    /// REQ 14.
    #[test]
    fn new_password_is_neither_cut_nor_changed() {
        let text = format!(" {} ", unusual(126));
        let new = NewPassword::parse(&text, "Asha".parse().ok().as_ref(), PasswordPolicy::default());
        assert_eq!(Password::from(new.ok().unwrap()).expose(), text);
    }

    /// REQ 14.
    #[test]
    fn new_password_does_not_hold_the_username() {
        let refused =
            |text, name: &str| NewPassword::parse(text, name.parse().ok().as_ref(), PasswordPolicy::default()).err();
        let holds = Some(NewPasswordError::ContainsUsername);
        assert_eq!(refused("the horse of aSHa runs", "Asha"), holds);
        assert_eq!(refused("eine lange STRASSE hinab", "straße"), holds);
        assert_eq!(refused("the horse of a sha runs", "Asha"), None);
        assert_eq!(refused("correct horse battery", "y"), holds, "a short name is no exception");
        assert_eq!(refused("correct horse battery", "z"), None);
    }

    /// REQ 14.
    #[test]
    fn new_password_is_not_common() {
        assert_eq!(refused("manchesterunited", 15), Some(NewPasswordError::Common));
        assert_eq!(refused("Manchester United", 15), Some(NewPasswordError::Common));
        assert_eq!(refused("trustno1", 8), Some(NewPasswordError::Common));
    }

    #[test]
    fn each_refusal_says_its_rule() {
        let said = |text: &str| refused(text, 8).map(|rule| rule.to_string()).unwrap_or_default();
        assert_eq!(said("seven c"), "must have at least 8 characters");
        assert_eq!(said(&unusual(129)), "must have at most 128 characters");
        assert_eq!(said("ashas horse"), "must not contain the username");
        assert!(said("password").starts_with("must not be a common password"));
    }
}
