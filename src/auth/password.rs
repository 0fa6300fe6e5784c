//! Agents' passwords: argon2id in PHC format. Nothing signs in with one yet; they wait for the console.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// How many passwords are hashed at once, each taking 19 MiB.
static SLOTS: Semaphore = Semaphore::const_new(2);
/// How many may run or wait; beyond it a caller hears that we are overloaded.
static QUEUE: Semaphore = Semaphore::const_new(16);

/// Hashes a password off the async threads, two at a time.
///
/// # Errors
/// [`Error::Overloaded`] when sixteen wait already.
pub async fn hash(password: String) -> Result<String> {
    let _waiting = QUEUE.try_acquire().map_err(|_| Error::Overloaded)?;
    let _slot = SLOTS.acquire().await.map_err(|_| Error::ShuttingDown)?;
    tokio::task::spawn_blocking(move || hash_blocking(&password))
        .await
        .map_err(|error| Error::internal(error.to_string()))?
}

/// Hashes a password on this thread: for the command line.
///
/// # Errors
/// When the system has no randomness or no memory.
pub fn hash_blocking(password: &str) -> Result<String> {
    // OWASP's minimum for argon2id: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| Error::internal(error.to_string()))?;
    let mut salt = [0_u8; 16];
    crate::random::fill(&mut salt)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_and_salted() {
        let one = hash_blocking("correct horse").unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, hash_blocking("correct horse").unwrap());
    }
}
