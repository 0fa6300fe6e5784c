//! Where randomness comes from: the operating system.

use crate::error::{Error, Result};

/// Fills bytes with randomness fit for secrets.
///
/// # Errors
/// When the operating system has none.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| Error::internal(error.to_string()))
}
