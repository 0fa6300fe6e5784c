//! Who calls. [`Agent`] and [`Admin`] are proof: only [`authenticate`] makes them, and rules take them, so an operation
//! that forgot to ask who calls does not compile.

pub mod key;
mod known;
pub mod password;
pub mod scope;

use std::net::IpAddr;
use std::sync::Arc;

use crate::activity::{Actor, ActorType};
use crate::db::Tx;
use crate::error::Result;
use crate::time::Timestamp;
use key::KeyType;
pub use known::Known;
use known::{Holder, Who};

/// An active agent, proven by an external key.
#[derive(Debug)]
pub struct Agent {
    person: Arc<Person>,
    ip: Option<IpAddr>,
}

/// What is known of an agent while nothing about it changes.
#[derive(Debug)]
struct Person {
    id: i64,
    name: String,
    avatar_url: Option<String>,
    key_id: i64,
    departments: Option<Vec<i64>>,
    tickets_per_page: i64,
}

impl Agent {
    /// The agent's id.
    pub fn id(&self) -> i64 {
        self.person.id
    }

    /// The agent's name.
    pub fn name(&self) -> &str {
        &self.person.name
    }

    /// The agent's picture.
    pub fn avatar_url(&self) -> Option<&str> {
        self.person.avatar_url.as_deref()
    }

    /// The key the agent called with.
    pub fn key_id(&self) -> i64 {
        self.person.key_id
    }

    /// The departments whose tickets the agent sees besides its own; none unless `department_visibility` is set.
    pub fn departments(&self) -> Option<&[i64]> {
        self.person.departments.as_deref()
    }

    /// How many tickets a page has unless another number is asked for: the setting.
    pub fn tickets_per_page(&self) -> i64 {
        self.person.tickets_per_page
    }

    /// The agent as the one who did something.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorType::Agent,
            id: Some(self.id()),
            name: self.person.name.clone(),
            ip: told(self.ip),
        }
    }
}

/// An administrator's program, proven by an internal key that carries the scope the operation asks for.
#[derive(Debug)]
pub struct Admin {
    program: Arc<Program>,
    ip: Option<IpAddr>,
}

/// What is known of an administrator's program while nothing about it changes.
#[derive(Debug)]
struct Program {
    key_id: i64,
    name: String,
    special: bool,
    scopes: Vec<String>,
    tickets_per_page: i64,
}

impl Admin {
    /// The key it called with.
    pub fn key_id(&self) -> i64 {
        self.program.key_id
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// Whether the key passes every check.
    pub fn is_special(&self) -> bool {
        self.program.special
    }

    /// Whether the key carries a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.is_special() || self.program.scopes.iter().any(|own| own == scope)
    }

    /// How many tickets a page has unless another number is asked for: the setting.
    pub fn tickets_per_page(&self) -> i64 {
        self.program.tickets_per_page
    }

    /// The program as the one who did something.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorType::User,
            id: Some(self.key_id()),
            name: self.program.name.clone(),
            ip: told(self.ip),
        }
    }
}

fn told(ip: Option<IpAddr>) -> Option<String> {
    ip.map(|ip| ip.to_string())
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
            Self::Agent(agent) => agent.key_id(),
            Self::Admin(admin) => admin.key_id(),
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

/// Who calls with this key. What is [`Known`] holds only while `access`, which is to be of the same snapshot, stands in the
/// database where it stood, so that a revocation counts on the next request, whichever process made it.
///
/// # Errors
/// What SQLite says; a refused key is an `Err` inside.
pub fn authenticate(
    tx: &Tx<'_>,
    (known, access): (&Known, i64),
    raw: &str,
    ip: Option<IpAddr>,
) -> Result<core::result::Result<Caller, Refusal>> {
    let hash = key::hash(raw);
    let holder = match known.find(access, &hash) {
        Some(holder) => Some(holder),
        None => known.learn(tx, access, &hash)?,
    };
    Ok(holder.ok_or(Refusal::InvalidKey).and_then(|holder| holder.admit(tx.now, ip)))
}

impl Holder {
    /// Who calls, if the key still opens the door.
    fn admit(self, now: Timestamp, ip: Option<IpAddr>) -> core::result::Result<Caller, Refusal> {
        if self.is_revoked || self.expires_at.is_some_and(|at| at <= now) {
            return Err(Refusal::InvalidKey);
        }
        match self.who {
            Who::Agent(person) => Ok(Caller::Agent(Arc::new(Agent { person, ip }))),
            Who::Inactive => Err(Refusal::AgentInactive),
            Who::Admin(program) => Ok(Caller::Admin(Arc::new(Admin { program, ip }))),
        }
    }
}
