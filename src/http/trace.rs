//! What is found out about a request on its way through the front and the gate.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde_json::Value;

use super::metrics::Operation;
use super::once::Running;
use crate::auth::Caller;

/// What is found out about a request on its way, for whoever answers it and for the log.
#[derive(Debug)]
pub struct Trace {
    /// The client's address.
    pub client: IpAddr,
    /// When the request came.
    pub started: Instant,
    /// Whether the gate has read the request's body.
    pub body_read: AtomicBool,
    /// The key's id; 0 is none.
    pub key: AtomicI64,
    /// The operation.
    pub operation: OnceLock<Arc<Operation>>,
    /// What the gate has found out, once the request has passed it.
    pub asked: OnceLock<Asked>,
}

impl Trace {
    /// Of a request that came from this client, at this moment.
    pub fn of(client: IpAddr, started: Instant) -> Self {
        Self {
            client,
            started,
            body_read: AtomicBool::new(false),
            key: AtomicI64::new(0),
            operation: OnceLock::new(),
            asked: OnceLock::new(),
        }
    }
}

/// What the gate has found out about a request, for the extractors behind it.
#[derive(Debug)]
pub struct Asked {
    /// Who calls; nobody on a public operation.
    pub caller: Option<Caller>,
    /// The body, checked.
    pub body: Option<Value>,
    /// SHA-256 of the raw body; of one with a password, of what else it says.
    pub fingerprint: [u8; 32],
    /// The requests with an idempotency key that run now.
    pub running: Arc<Running>,
}
