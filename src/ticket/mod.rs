//! Tickets: what customers ask, and where it stands.
//!
//! Always true: a closed ticket has a `closed_at` and an open one has none; the lead (`assigned_to`) is among the agents on
//! the ticket; `version` moves with every change of the ticket itself. Agents change status, priority and labels of the
//! tickets they see ([`Visibility`]); everything else is the administrators'.

mod condition;
pub mod external;
mod field;
pub mod internal;
pub mod model;
pub mod opening;
pub mod rules;
pub mod store;
mod visibility;

pub use condition::{Condition, IfMatch, IfNoneMatch, Version};
pub use visibility::Visibility;
