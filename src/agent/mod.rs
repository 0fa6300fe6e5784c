//! Agents: who answers tickets.
//!
//! An inactive agent's keys open nothing; a deleted agent is a tombstone whose messages still show its name. E-mail
//! addresses are unique among agents that are not deleted, case ignored.

pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
