//! Notifications: what agents are told about their tickets.
//!
//! A sink at the bottom of the house: whoever causes something tells people in the same transaction ([`notify`]). Told is
//! every active agent on the ticket except the one who did it, unless a boolean `false` under the type in the agent's
//! `notification_settings` mutes it. Titles and messages hold the reference and the sender, never a ticket's text.

pub mod external;
pub mod model;
pub mod store;

use model::NotificationType;

use crate::db::Tx;
use crate::error::Result;

/// Who causes a notification, as the notification shows it.
#[derive(Clone, Debug)]
pub struct Sender<'a> {
    /// The agent who is not told, because it knows.
    pub agent_id: Option<i64>,
    /// The sender's name.
    pub name: &'a str,
    /// The sender's picture.
    pub avatar_url: Option<&'a str>,
}

/// Tells the agents on a ticket what happened to it.
///
/// # Errors
/// What SQLite says.
pub fn notify(
    tx: &Tx<'_>,
    (ticket_id, reference): (i64, &str),
    kind: NotificationType,
    sender: &Sender<'_>,
) -> Result<()> {
    let (title, message) = kind.words(reference, sender.name);
    store::insert_for_all(tx, ticket_id, kind, sender, &title, &message)
}

/// Tells those of these agents who are on a ticket that they are.
///
/// # Errors
/// What SQLite says.
pub fn notify_assigned(
    tx: &Tx<'_>,
    (ticket_id, reference): (i64, &str),
    agents: &[i64],
    sender: &Sender<'_>,
) -> Result<()> {
    if agents.is_empty() {
        return Ok(());
    }
    let (title, message) = NotificationType::Assigned.words(reference, sender.name);
    store::insert_for_some(tx, ticket_id, agents, sender, &title, &message)
}
