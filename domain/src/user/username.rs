//! Usernames, and the rules for new ones (RFC 8265).

use std::fmt;
use std::str::FromStr;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Profile as _;
use precis_profiles::precis_core::{Error, UnexpectedError};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use crate::kernel::{Text, fold, is_invisible, text};

text! {
    /// A username as given or stored: 1 to 64 characters, no white space or control characters. Usernames that differ only in
    /// case are equal. The pattern does not cover white space and control characters beyond ASCII; the parser does.
    Username, 1..=64, r"^[^\x00-\x20\x7F]+$", check => UsernameError
}

/// Reason why a text is not a username, or not a new username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UsernameError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {} characters", Username::MAX_CHARS)]
    TooLong,
    #[error("must not contain white space or control characters")]
    Character,
    #[error("must not contain invisible characters or controls of the text direction, such as U+{0:04X}")]
    Invisible(u32),
    #[error("must consist of letters, digits and printable ASCII characters (RFC 8265), and not contain U+{0:04X}")]
    Disallowed(u32),
    #[error("must contain characters such as the middle dot only between the letters that RFC 5892 requires")]
    Misplaced,
    #[error("must not mix right-to-left letters with left-to-right ones (RFC 5893)")]
    MixedDirections,
}

impl Username {
    /// The case-folded username: the key of users whose names release 1.0 stored.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The keys under which the username may be stored, the preferred one first: an existing name matches as it did in release
    /// 1.0, also if it equals another one by the rules for new usernames.
    #[must_use]
    pub fn keys(&self) -> [String; 2] {
        [self.folded(), key(&self.0)]
    }
}

/// A new username, by the profile `UsernameCaseMapped` of RFC 8265 and without invisible characters. Keeps its spelling, in NFC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUsername {
    username: Username,
    key: String,
}

impl NewUsername {
    /// The key that is unique among users, see [`key()`].
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The spelling in which release 1.0 may have stored an equal username, because it did not normalize.
    #[must_use]
    pub fn decomposed(&self) -> Option<Username> {
        self.username.0.nfd().collect::<String>().parse().ok()
    }

    #[must_use]
    pub const fn as_username(&self) -> &Username {
        &self.username
    }
}

impl From<NewUsername> for Username {
    fn from(new: NewUsername) -> Self {
        new.username
    }
}

impl FromStr for NewUsername {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        let username: Username = text.nfc().collect::<String>().parse()?;
        if let Some(c) = username.0.chars().find(|&c| is_invisible(c)) {
            return Err(UsernameError::Invisible(c.into()));
        }
        let enforced = UsernameCaseMapped::new().enforce(username.as_str()).map_err(violated)?;
        Ok(Self { key: fold(&enforced), username })
    }
}

impl fmt::Display for NewUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.username.fmt(f)
    }
}

/// The key of any text given as a username. Texts that RFC 8265 considers equal have the same key: its enforced form, case-folded
/// as in release 1.0. So `Straße` and `strasse` remain one name, and nodes of that release find new users.
pub(crate) fn key(text: &str) -> String {
    UsernameCaseMapped::new().enforce(text).map_or_else(|_| fold(text), |enforced| fold(&enforced))
}

fn violated(error: Error) -> UsernameError {
    match error {
        Error::BadCodepoint(info)
        | Error::Unexpected(
            UnexpectedError::ContextRuleNotApplicable(info) | UnexpectedError::MissingContextRule(info),
        ) => UsernameError::Disallowed(info.cp),
        Error::Unexpected(_) => UsernameError::Misplaced,
        Error::Invalid => UsernameError::MixedDirections,
    }
}

fn check(text: &str) -> Result<(), UsernameError> {
    if text.is_empty() {
        return Err(UsernameError::Empty);
    }
    if text.chars().nth(Username::MAX_CHARS).is_some() {
        return Err(UsernameError::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UsernameError::Character);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_username_reports_violated_rule() {
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse("x".repeat(65)), Err(UsernameError::TooLong));
        for wrong in ["a b", "a\t", "a\0", "\u{a0}a"] {
            assert_eq!(Username::parse(wrong), Err(UsernameError::Character), "{wrong:?}");
            assert_eq!(wrong.parse::<NewUsername>(), Err(UsernameError::Character), "{wrong:?}");
        }
        assert_eq!(Username::parse("Åsa@x").unwrap().folded(), "åsa@x");
    }

    #[test]
    fn new_username_keeps_its_spelling_in_nfc() {
        for (given, stored, key) in [
            ("Asha.Rao+1@example.org", "Asha.Rao+1@example.org", "asha.rao+1@example.org"),
            ("A\u{30a}sa", "Åsa", "åsa"),
            ("Ａsha", "Ａsha", "asha"),
            ("Straße", "Straße", "strasse"),
            ("ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("मीरा", "मीरा", "मीरा"),
            ("משה", "משה", "משה"),
        ] {
            let new: NewUsername = given.parse().unwrap();
            assert_eq!((new.to_string().as_str(), new.key()), (stored, key), "{given}");
            assert_eq!(new.as_username().keys()[1], key, "{given}");
        }
    }

    #[test]
    fn new_username_is_restricted_by_rfc_8265() {
        for (wrong, code) in [("a☃", 0x2603), ("ﬁx", 0xfb01), ("ſ", 0x17f), ("a\u{378}", 0x378)] {
            assert_eq!(wrong.parse::<NewUsername>(), Err(UsernameError::Disallowed(code)), "{wrong}");
            assert!(Username::parse(wrong).is_ok(), "{wrong}");
        }
        assert_eq!("·".parse::<NewUsername>(), Err(UsernameError::Misplaced));
        assert_eq!("אx".parse::<NewUsername>(), Err(UsernameError::MixedDirections));
        assert_eq!("é".repeat(65).parse::<NewUsername>(), Err(UsernameError::TooLong));
        assert!("e\u{301}".repeat(64).parse::<NewUsername>().is_ok());
        assert_eq!(
            UsernameError::Disallowed(0x2603).to_string(),
            "must consist of letters, digits and printable ASCII characters (RFC 8265), and not contain U+2603"
        );
    }

    #[test]
    fn new_username_without_visible_difference_is_rejected() {
        let controls =
            "\u{ad}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fe0f}\u{e0041}";
        for c in controls.chars() {
            for text in [format!("as{c}ha"), format!("क्{c}ष")] {
                assert_eq!(text.parse::<NewUsername>(), Err(UsernameError::Invisible(c.into())), "{text:?}");
            }
        }
    }

    /// Equal by RFC 8265.
    #[test]
    fn equal_usernames_share_a_key() {
        for (one, other) in
            [("ΐ", "Ϊ\u{301}"), ("A\u{30a}SA", "åsa"), ("ＡＳＨＡ", "asha"), ("H\u{331}", "ẖ"), ("İ", "i\u{307}")]
        {
            assert_eq!(UsernameCaseMapped::new().compare(one, other), Ok(true), "{one} {other}");
            assert_eq!(key(one), key(other), "{one} {other}");
        }
    }
}
