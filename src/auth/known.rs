//! Who holds which key, kept in memory for as long as the database says that nothing about it has changed.

use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use subtle::ConstantTimeEq;

use super::{Person, Program};
use crate::api_key;
use crate::db::Tx;
use crate::error::Result;
use crate::time::Timestamp;

/// What a key opens, and until when.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub expires_at: Option<Timestamp>,
    pub is_revoked: bool,
    pub who: Who,
}

/// Whom a key speaks for.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Agent(Arc<Person>),
    Inactive,
    Admin(Arc<Program>),
}

/// The keys that were used since `access` of the table `epoch` last moved. It moves with every key, agent and setting, by
/// triggers, so whichever process changed them. Keys nobody ever made are not kept, so that nobody can fill the memory.
#[derive(Debug, Default)]
pub struct Known(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    access: i64,
    holders: HashMap<[u8; 32], Holder>,
}

impl Known {
    /// The holder of a key, if it is known and as new as `access`.
    pub(super) fn find(&self, access: i64, hash: &[u8; 32]) -> Option<Holder> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.access == access { state.holders.get(hash).cloned() } else { None }
    }

    /// Looks the holder of a key up in the snapshot in which `access` stands so, and keeps it, with those that were looked up while
    /// it was the same.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn learn(&self, tx: &Tx<'_>, access: i64, hash: &[u8; 32]) -> Result<Option<Holder>> {
        let Some(holder) = look_up(tx, hash)? else { return Ok(None) };
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Also when it is less: a replica may have been put back to an earlier state, and goes on from there in its own way.
        if state.access != access {
            *state = State { access, holders: HashMap::default() };
        }
        state.holders.insert(*hash, holder.clone());
        Ok(Some(holder))
    }
}

fn look_up(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<Holder>> {
    let Some(found) = api_key::store::find_by_hash(tx, hash)? else { return Ok(None) };
    if !bool::from(found.hash.ct_eq(hash)) {
        return Ok(None);
    }
    let who = match found.agent {
        None => Who::Admin(Arc::new(Program {
            key_id: found.id,
            name: found.name,
            special: found.special,
            scopes: found.scopes,
            tickets_per_page: found.tickets_per_page,
        })),
        Some(agent) if !agent.is_active => Who::Inactive,
        Some(agent) => Who::Agent(Arc::new(Person {
            id: agent.id,
            name: agent.name,
            avatar_url: agent.avatar_url,
            key_id: found.id,
            tickets_per_page: found.tickets_per_page,
            departments: match agent.sees_departments {
                true => Some(crate::agent::store::departments(tx, agent.id)?),
                false => None,
            },
        })),
    };
    Ok(Some(Holder { expires_at: found.expires_at, is_revoked: found.is_revoked, who }))
}
