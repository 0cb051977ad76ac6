//! Passwords as given at a login, and their verification.

use secrecy::ExposeSecret as _;

use super::password::opaque_string;
use super::{HashError, Password, PasswordError, PasswordHash, PasswordHasher, Share, Verdict};

/// A password as given, in each form in which a stored hash may contain it: as RFC 8265 prepares new passwords, and unchanged, as
/// release 1.0 stored it.
#[derive(Clone)]
pub struct GivenPassword {
    preferred: Password,
    /// `None` if it is equal.
    unchanged: Option<Password>,
}

impl GivenPassword {
    /// Parses a password. Text that RFC 8265 rejects has only its unchanged form.
    ///
    /// # Errors
    /// [`PasswordError`] if it is empty, or if each form is too long.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let unchanged = Password::parse(text);
        let prepared = opaque_string(text).and_then(|prepared| Password::parse(prepared.expose_secret()).ok());
        match prepared {
            Some(preferred) => {
                Ok(Self { unchanged: unchanged.ok().filter(|other| other.expose() != preferred.expose()), preferred })
            }
            None => Ok(Self { preferred: unchanged?, unchanged: None }),
        }
    }

    /// The form to hash anew.
    #[must_use]
    pub const fn preferred(&self) -> &Password {
        &self.preferred
    }

    /// Compares each form with a stored hash, as [`PasswordHasher::verify`] does. A hash of another form than the preferred one is
    /// outdated. The number of comparisons with a wrong password does not depend on `stored`.
    ///
    /// # Errors
    /// [`HashError`] of the hasher.
    pub async fn verify(
        &self,
        hasher: &dyn PasswordHasher,
        stored: Option<PasswordHash>,
        share: Share,
    ) -> Result<Verdict, HashError> {
        let verdict = hasher.verify(self.preferred.clone(), stored.clone(), share).await?;
        let Some(unchanged) = self.unchanged.clone().filter(|_| verdict == Verdict::Incorrect) else {
            return Ok(verdict);
        };
        Ok(match hasher.verify(unchanged, stored, share).await? {
            Verdict::Incorrect => Verdict::Incorrect,
            Verdict::Correct | Verdict::CorrectButOutdated => Verdict::CorrectButOutdated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::MockPasswordHasher;

    fn forms(text: &str) -> Vec<String> {
        let given = GivenPassword::parse(text).unwrap();
        [Some(given.preferred), given.unchanged].into_iter().flatten().map(|form| form.expose().to_owned()).collect()
    }

    #[test]
    fn given_password_has_each_stored_form() {
        assert_eq!(forms("Pass  Wörd "), ["Pass  Wörd "]);
        assert_eq!(forms("wo\u{308}rd\u{a0}x"), ["wörd x", "wo\u{308}rd\u{a0}x"]);
        assert_eq!(forms("a\u{7}o\u{308}"), ["a\u{7}o\u{308}"], "rejected by RFC 8265");
    }

    #[test]
    fn given_password_is_too_long_only_in_each_form() {
        assert_eq!(GivenPassword::parse("").err(), Some(PasswordError::Empty));
        assert_eq!(forms(&"o\u{308}".repeat(128)), ["ö".repeat(128)]);
        assert_eq!(GivenPassword::parse(&"o\u{308}".repeat(129)).err(), Some(PasswordError::TooLong));
        // Decomposes in NFC.
        assert_eq!(forms(&"\u{fb2c}".repeat(128)), ["\u{fb2c}".repeat(128)]);
    }

    /// The verdict for a hash of this text, and the number of comparisons.
    async fn verify(given: &str, stored: Option<&'static str>) -> (Verdict, usize) {
        let compared = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = compared.clone();
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_verify().returning(move |password, hash, _| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let is_correct = hash.is_some_and(|hash| hash.expose() == password.expose());
            Ok(if is_correct { Verdict::Correct } else { Verdict::Incorrect })
        });
        let stored = stored.map(|text| PasswordHash::new(text.to_owned()));
        let verdict = GivenPassword::parse(given).unwrap().verify(&hasher, stored, Share::LOCAL).await.unwrap();
        (verdict, compared.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// REQ 13.
    #[tokio::test]
    async fn hash_of_unchanged_form_is_correct_but_outdated() {
        assert_eq!(verify("wo\u{308}rd", Some("wörd")).await, (Verdict::Correct, 1));
        assert_eq!(verify("wo\u{308}rd", Some("wo\u{308}rd")).await, (Verdict::CorrectButOutdated, 2));
        assert_eq!(verify("wörd", Some("wo\u{308}rd")).await, (Verdict::Incorrect, 1));
    }

    /// REQ 15.
    #[tokio::test]
    async fn unknown_user_costs_as_many_hashes_as_wrong_password() {
        for stored in [Some("other"), None] {
            assert_eq!(verify("wörd", stored).await, (Verdict::Incorrect, 1));
            assert_eq!(verify("wo\u{308}rd", stored).await, (Verdict::Incorrect, 2));
        }
    }
}
