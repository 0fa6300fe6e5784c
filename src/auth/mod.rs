//! Who calls. [`Agent`] and [`Admin`] are proof: only [`authenticate`] makes them, and rules take them, so an operation
//! that forgot to ask who calls does not compile.

pub mod key;
pub mod password;
pub mod scope;

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::activity::{Actor, ActorType};
use crate::api_key;
use crate::db::Tx;
use crate::error::Result;
use key::KeyType;

/// An active agent, proven by an external key.
#[derive(Debug)]
pub struct Agent {
    id: i64,
    name: String,
    avatar_url: Option<String>,
    key_id: i64,
    departments: Option<Vec<i64>>,
    ip: Option<String>,
}

impl Agent {
    /// The agent's id.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The agent's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The agent's picture.
    pub fn avatar_url(&self) -> Option<&str> {
        self.avatar_url.as_deref()
    }

    /// The key the agent called with.
    pub fn key_id(&self) -> i64 {
        self.key_id
    }

    /// The departments whose tickets the agent sees besides its own; none unless `department_visibility` is set.
    pub fn departments(&self) -> Option<&[i64]> {
        self.departments.as_deref()
    }

    /// The agent as the one who did something.
    pub fn actor(&self) -> Actor {
        Actor { kind: ActorType::Agent, id: Some(self.id), name: self.name.clone(), ip: self.ip.clone() }
    }
}

/// An administrator's program, proven by an internal key that carries the scope the operation asks for.
#[derive(Debug)]
pub struct Admin {
    key_id: i64,
    name: String,
    special: bool,
    scopes: Vec<String>,
    ip: Option<String>,
}

impl Admin {
    /// The key it called with.
    pub fn key_id(&self) -> i64 {
        self.key_id
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the key passes every check.
    pub fn is_special(&self) -> bool {
        self.special
    }

    /// Whether the key carries a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.special || self.scopes.iter().any(|own| own == scope)
    }

    /// The program as the one who did something.
    pub fn actor(&self) -> Actor {
        Actor { kind: ActorType::User, id: Some(self.key_id), name: self.name.clone(), ip: self.ip.clone() }
    }
}

/// Whoever called.
#[derive(Clone, Debug)]
pub enum Caller {
    /// An agent.
    Agent(Arc<Agent>),
    /// An administrator's program.
    Admin(Arc<Admin>),
}

impl Caller {
    /// The key it called with.
    pub fn key_id(&self) -> i64 {
        match self {
            Self::Agent(agent) => agent.key_id,
            Self::Admin(admin) => admin.key_id,
        }
    }

    /// What kind of key that is.
    pub fn kind(&self) -> KeyType {
        match self {
            Self::Agent(_) => KeyType::External,
            Self::Admin(_) => KeyType::Internal,
        }
    }
}

/// Why a key does not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown, malformed, expired or revoked: on purpose the same answer.
    InvalidKey,
    /// The key's agent is inactive or deleted.
    AgentInactive,
}

/// Who calls with this key. Reads the database each time, so that a revocation counts on the next request, whichever
/// process made it.
///
/// # Errors
/// What SQLite says; a refused key is an `Err` inside.
pub fn authenticate(tx: &Tx<'_>, raw: &str, ip: Option<String>) -> Result<Result<Caller, Refusal>> {
    if !key::is_well_formed(raw) {
        return Ok(Err(Refusal::InvalidKey));
    }
    let hash = key::hash(raw);
    let Some(found) = api_key::store::find_by_hash(tx, &hash)? else { return Ok(Err(Refusal::InvalidKey)) };
    let same: bool = found.hash.ct_eq(&hash).into();
    let expired = found.expires_at.is_some_and(|at| at <= tx.now);
    if !same || expired || found.is_revoked {
        return Ok(Err(Refusal::InvalidKey));
    }
    let Some(agent) = found.agent else {
        return Ok(Ok(Caller::Admin(Arc::new(Admin {
            key_id: found.id,
            name: found.name,
            special: found.special,
            scopes: found.scopes,
            ip,
        }))));
    };
    if !agent.is_active {
        return Ok(Err(Refusal::AgentInactive));
    }
    let departments =
        if agent.sees_departments { Some(crate::agent::store::departments(tx, agent.id)?) } else { None };
    Ok(Ok(Caller::Agent(Arc::new(Agent {
        id: agent.id,
        name: agent.name,
        avatar_url: agent.avatar_url,
        key_id: found.id,
        departments,
        ip,
    }))))
}
