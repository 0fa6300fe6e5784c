//! `Idempotency-Key`: a POST that is sent twice is done once.
//!
//! The record is written in the transaction of what it protects, so a crash leaves both or neither. Who calls and what
//! they may see are checked before a replay.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::answer::{Answer, Repeatable};
use super::caller::asked;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::idempotency::{self, Record};
use crate::scalar::OnceKey;

/// The requests with an idempotency key that run now, by API key, path and idempotency key.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashSet<Name>>);

type Name = (i64, String, String);

/// The idempotency of one request. Without a header it just runs what it is given.
#[derive(Debug)]
pub struct Once(Option<Claim>);

#[derive(Debug)]
struct Claim {
    name: Name,
    fingerprint: [u8; 32],
    running: Arc<Running>,
}

/// A request that may run: while it is held, a twin is refused.
#[derive(Debug)]
pub struct Started(Option<Claim>);

impl Once {
    /// Claims the key for as long as the request runs.
    ///
    /// # Errors
    /// [`Error::IdempotencyInProgress`] while a twin runs.
    pub fn begin(self) -> Result<Started> {
        if let Some(claim) = &self.0 {
            let mut running = claim.running.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !running.insert(claim.name.clone()) {
                return Err(Error::IdempotencyInProgress);
            }
        }
        Ok(Started(self.0))
    }
}

impl Started {
    /// Does the work, or gives the first answer again.
    ///
    /// # Errors
    /// Whatever `work` returns; [`Error::IdempotencyKeyReused`] when the first request had another body.
    pub fn run<A: Repeatable>(&self, tx: &Tx<'_>, work: impl FnOnce() -> Result<A>) -> Result<A> {
        let Some(Claim { name: (key_id, path, key), fingerprint, .. }) = &self.0 else { return work() };
        if let Some(record) = idempotency::store::find(tx, *key_id, path, key)? {
            if record.fingerprint != *fingerprint {
                return Err(Error::IdempotencyKeyReused);
            }
            return Ok(Answer::replay(record.status, record.location, record.body).into());
        }
        let answer = work()?;
        let (status, location, body) = answer.as_ref().recorded();
        let record = Record {
            fingerprint: *fingerprint,
            status,
            location: location.map(str::to_owned),
            body: body.to_vec(),
        };
        idempotency::store::insert(tx, *key_id, path, key, &record)?;
        Ok(answer)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(claim) = &self.0 {
            claim.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&claim.name);
        }
    }
}

impl<'a> ApiExtractor<'a> for Once {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(OnceKey::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let asked = asked(request)?;
        let (Some(key), Some(caller)) = (request.header("idempotency-key"), &asked.caller) else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Claim {
            name: (caller.key_id(), request.uri().path().to_owned(), key.to_owned()),
            fingerprint: asked.fingerprint,
            running: Arc::clone(&asked.running),
        })))
    }
}
