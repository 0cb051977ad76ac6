//! The password port: hashes and verifies with argon2id.

use argon2::password_hash::{Error as LibraryError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use async_trait::async_trait;
use domain::user::{HashError, Password, PasswordHash, PasswordHasher, Verdict};

use crate::Limits;
use crate::queue::Queue;

/// KiB of memory a hash takes (ASVS 11.4.2).
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes of the memory; one thread fills them all.
const LANES: u32 = 1;
/// Bytes of a hash.
const OUTPUT_BYTES: usize = 32;
/// Bytes of a salt (RFC 9106, section 3.1).
const SALT_BYTES: usize = 16;
/// The version that a PHC string without one means: the first, which had no name for itself.
const UNNAMED_VERSION: u32 = 0x10;

/// Hashes passwords with argon2id, version 19, m=19456 KiB, t=2, p=1 and a random salt of 16 bytes, as PHC
/// strings. Verifies argon2 of any kind and parameters.
pub struct Argon2Hasher {
    queue: Queue,
    argon2: Argon2<'static>,
    /// What a password is verified against where no hash is stored: made with the parameters of today, so that
    /// it takes the time of a hash made today (ASVS 6.3.8).
    dummy_hash: PasswordHash,
}

impl Argon2Hasher {
    /// Takes the time of one hash. Needs a tokio runtime from the first call of the port on, not before.
    ///
    /// # Errors
    /// [`HashError::Failed`] when there is no randomness or no memory.
    pub fn new(limits: Limits) -> Result<Self, HashError> {
        Self::with_parameters(limits, MEMORY_KIB, PASSES)
    }

    fn with_parameters(limits: Limits, memory_kib: u32, passes: u32) -> Result<Self, HashError> {
        let params = Params::new(memory_kib, passes, LANES, Some(OUTPUT_BYTES)).map_err(|error| failed(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_hash = hash(&argon2, "nobody's password")?;
        Ok(Self { queue: Queue::new(limits), argon2, dummy_hash })
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let argon2 = self.argon2.clone();
        self.queue.run(move || hash(&argon2, password.expose())).await?
    }

    async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError> {
        let argon2 = self.argon2.clone();
        let is_known = stored.is_some();
        let against = stored.unwrap_or_else(|| self.dummy_hash.clone());
        let verdict = self.queue.run(move || verify(&argon2, password.expose(), &against)).await??;
        Ok(if is_known { verdict } else { Verdict::Wrong })
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<PasswordHash, HashError> {
    let phc: Phc = argon2.hash_password(password.as_bytes()).map_err(|error| failed(&error))?;
    Ok(PasswordHash::new(phc.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &str, stored: &PasswordHash) -> Result<Verdict, HashError> {
    let mut phc = Phc::new(stored.expose()).map_err(|_| unreadable())?;
    // The library takes a hash without an output for a wrong password.
    if phc.salt.is_none() || phc.hash.is_none() {
        return Err(unreadable());
    }
    phc.version.get_or_insert(UNNAMED_VERSION);
    match argon2.verify_password(password.as_bytes(), &phc) {
        Ok(()) if is_as_strong(argon2, &phc) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOutdated),
        Err(LibraryError::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(LibraryError::OutOfMemory) => Err(failed(&LibraryError::OutOfMemory)),
        Err(_) => Err(unreadable()),
    }
}

/// Whether a stored hash is at least what a new one would be.
fn is_as_strong(argon2: &Argon2<'_>, stored: &Phc) -> bool {
    let today = argon2.params();
    stored.algorithm == ARGON2ID_IDENT
        && stored.version == Some(Version::V0x13.into())
        && Params::try_from(stored).is_ok_and(|params| {
            params.m_cost() >= today.m_cost() && params.t_cost() >= today.t_cost() && params.p_cost() >= today.p_cost()
        })
        && stored.salt.as_ref().is_some_and(|salt| salt.len() >= SALT_BYTES)
        && stored.hash.as_ref().is_some_and(|output| output.len() >= OUTPUT_BYTES)
}

/// Never shows the text: it may be a password that somebody stored in the clear.
fn unreadable() -> HashError {
    HashError::Failed("the stored hash is no PHC string of argon2".to_owned())
}

fn failed(error: &impl ToString) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
