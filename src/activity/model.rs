//! Who does things.

use crate::words;

words! {
    /// What kind of someone changed something.
    ActorType {
        /// An agent, with an external key.
        Agent = "agent",
        /// An administrator's program, with an internal key.
        User = "user",
        /// The desk itself, by one of its rules.
        System = "system",
        /// Somebody at the command line.
        Cli = "cli",
    }
}

/// Who changed something.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What kind of someone.
    pub kind: ActorType,
    /// The agent's id, or the internal key's.
    pub id: Option<i64>,
    /// The agent's name, or the key's.
    pub name: String,
    /// The address it came from.
    pub ip: Option<String>,
}

impl Actor {
    /// Somebody at the command line.
    pub fn cli() -> Self {
        Self { kind: ActorType::Cli, id: None, name: "Command line".into(), ip: None }
    }

    /// The desk itself.
    pub fn system() -> Self {
        Self { kind: ActorType::System, id: None, name: "System".into(), ip: None }
    }

    /// The agent's id, if it is an agent.
    pub fn agent_id(&self) -> Option<i64> {
        if self.kind == ActorType::Agent { self.id } else { None }
    }
}
