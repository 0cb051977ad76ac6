//! Implementation of the password port with argon2id.

use argon2::password_hash::{Error as LibraryError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use async_trait::async_trait;
use domain::user::{HashError, Password, PasswordHash, PasswordHasher, Share, Verdict};

use crate::Limits;
use crate::queue::Queue;

/// Memory of a hash in KiB (ASVS 11.4.2).
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes of the memory, all filled by one thread.
const LANES: u32 = 1;
/// Bytes of a hash.
const OUTPUT_BYTES: usize = 32;
/// Bytes of a salt (RFC 9106, section 3.1).
const SALT_BYTES: usize = 16;
/// Version of a PHC string that does not state one.
const DEFAULT_VERSION: u32 = 0x10;

/// Hashes passwords with argon2id, version 19, m=19456 KiB, t=2, p=1 and a random salt of 16 bytes, as PHC
/// strings. Verifies argon2 of any kind and parameters.
pub struct Argon2Hasher {
    queue: Queue,
    argon2: Argon2<'static>,
    /// Verified if no hash is stored. Has the current parameters, so that the time is the same (ASVS 6.3.8).
    dummy_hash: PasswordHash,
}

impl Argon2Hasher {
    /// Computes one hash, which takes tens of milliseconds. Only the port methods need a tokio runtime.
    ///
    /// # Errors
    /// [`HashError::Failed`] if the random source fails or memory is exhausted.
    pub fn new(limits: Limits) -> Result<Self, HashError> {
        Self::with_parameters(limits, MEMORY_KIB, PASSES)
    }

    fn with_parameters(limits: Limits, memory_kib: u32, passes: u32) -> Result<Self, HashError> {
        let params = Params::new(memory_kib, passes, LANES, Some(OUTPUT_BYTES)).map_err(|error| failed(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_hash = hash(&argon2, "password of an unknown user")?;
        Ok(Self { queue: Queue::new(limits), argon2, dummy_hash })
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: Password, share: Share) -> Result<PasswordHash, HashError> {
        let argon2 = self.argon2.clone();
        self.queue.run(share, move || hash(&argon2, password.expose())).await?
    }

    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        share: Share,
    ) -> Result<Verdict, HashError> {
        let argon2 = self.argon2.clone();
        let is_known = stored.is_some();
        let expected = stored.unwrap_or_else(|| self.dummy_hash.clone());
        let verdict = self.queue.run(share, move || verify(&argon2, password.expose(), &expected)).await??;
        Ok(if is_known { verdict } else { Verdict::Incorrect })
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<PasswordHash, HashError> {
    let phc: Phc = argon2.hash_password(password.as_bytes()).map_err(|error| failed(&error))?;
    Ok(PasswordHash::new(phc.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &str, stored: &PasswordHash) -> Result<Verdict, HashError> {
    let mut phc = Phc::new(stored.expose()).map_err(|_| unreadable())?;
    // The library reports a missing output as a wrong password.
    if phc.salt.is_none() || phc.hash.is_none() {
        return Err(unreadable());
    }
    phc.version.get_or_insert(DEFAULT_VERSION);
    match argon2.verify_password(password.as_bytes(), &phc) {
        Ok(()) if is_as_strong(argon2, &phc) => Ok(Verdict::Correct),
        Ok(()) => Ok(Verdict::CorrectButOutdated),
        Err(LibraryError::PasswordInvalid) => Ok(Verdict::Incorrect),
        Err(LibraryError::OutOfMemory) => Err(failed(&LibraryError::OutOfMemory)),
        Err(_) => Err(unreadable()),
    }
}

/// Returns `true` if a stored hash is at least as strong as a new one.
fn is_as_strong(argon2: &Argon2<'_>, stored: &Phc) -> bool {
    let new = argon2.params();
    stored.algorithm == ARGON2ID_IDENT
        && stored.version == Some(Version::V0x13.into())
        && Params::try_from(stored).is_ok_and(|params| {
            params.m_cost() >= new.m_cost() && params.t_cost() >= new.t_cost() && params.p_cost() >= new.p_cost()
        })
        && stored.salt.as_ref().is_some_and(|salt| salt.len() >= SALT_BYTES)
        && stored.hash.as_ref().is_some_and(|output| output.len() >= OUTPUT_BYTES)
}

/// The message does not contain the stored text, which may be a plaintext password.
fn unreadable() -> HashError {
    HashError::Failed("the stored hash is not an argon2 PHC string".to_owned())
}

fn failed(error: &impl ToString) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
