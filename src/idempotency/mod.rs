//! The answers to POSTs that carried an `Idempotency-Key`, kept for 24 hours per API key and path.

pub mod store;

/// How long a record counts, in microseconds: 24 hours.
pub const KEPT: i64 = crate::time::DAY;

/// A remembered answer.
#[derive(Debug)]
pub struct Record {
    /// SHA-256 of the raw body of the first request; of a body with a password, of what else it said.
    pub fingerprint: [u8; 32],
    /// The status of the answer, always 2xx.
    pub status: u16,
    /// Its `Location`.
    pub location: Option<String>,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
}
