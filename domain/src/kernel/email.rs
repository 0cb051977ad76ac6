//! Email addresses.

use thiserror::Error;

use super::{Text, text};

text! {
    /// An email address in the grammar that browsers accept (WHATWG HTML, "valid email address"): an ASCII
    /// dot-atom, `@`, and a host name; at most 254 octets, of which at most 64 before the `@` (RFC 5321,
    /// section 4.5.3.1).
    Email, 3..=254, PATTERN, check => EmailError
}

impl Email {
    /// The form in which lists are searched, with lower-case letters.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

const PATTERN: &str = "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$";

/// Maximum number of octets before the `@`.
const MAX_LOCAL_LEN: usize = 64;

/// Reason why a text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailError {
    #[error("must have at most {} characters", Email::MAX_CHARS)]
    TooLong,
    #[error("must have exactly one @, with at least one character before it")]
    NoLocalPart,
    #[error("must have at most {} characters before the @", MAX_LOCAL_LEN)]
    LocalPartTooLong,
    #[error("must not contain invalid characters before the @")]
    LocalPartCharacter,
    #[error("must have a host name after the @, such as example.org")]
    HostName,
}

fn check(text: &str) -> Result<(), EmailError> {
    if text.len() > Email::MAX_CHARS {
        return Err(EmailError::TooLong);
    }
    let (local, host) = text.split_once('@').filter(|(local, _)| !local.is_empty()).ok_or(EmailError::NoLocalPart)?;
    if local.len() > MAX_LOCAL_LEN {
        return Err(EmailError::LocalPartTooLong);
    }
    if !local.bytes().all(is_local) {
        return Err(EmailError::LocalPartCharacter);
    }
    if !host.split('.').all(is_label) {
        return Err(EmailError::HostName);
    }
    Ok(())
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// RFC 1034, section 3.5, with the digits that RFC 1123 allows in front.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_address_is_kept_as_written() {
        for address in ["asha@example.org", "A.B+c@x", "o'neil@a-b.example", "..@1.2"] {
            assert_eq!(Email::parse(address).as_ref().map(Email::as_str), Ok(address));
        }
    }

    #[test]
    fn invalid_email_address_reports_violated_rule() {
        for (text, rule) in [
            ("", EmailError::NoLocalPart),
            ("asha", EmailError::NoLocalPart),
            ("@example.org", EmailError::NoLocalPart),
            ("as ha@example.org", EmailError::LocalPartCharacter),
            ("åsa@example.org", EmailError::LocalPartCharacter),
            ("a@", EmailError::HostName),
            ("a@b@c", EmailError::HostName),
            ("a@-b.org", EmailError::HostName),
            ("a@b-.org", EmailError::HostName),
            ("a@b..org", EmailError::HostName),
            ("a@b.org\0", EmailError::HostName),
        ] {
            assert_eq!(Email::parse(text), Err(rule), "{text:?}");
        }
        assert_eq!(Email::parse(format!("{}@x", "a".repeat(65))), Err(EmailError::LocalPartTooLong));
        assert_eq!(Email::parse(format!("a@{}", "b".repeat(64))), Err(EmailError::HostName));
        assert_eq!(Email::parse(format!("a@{}", "b.".repeat(127))), Err(EmailError::TooLong));
    }
}
