//! What may be written under a ticket, and what follows from it.

use super::model::{Message, NewMessage};
use super::store;
use crate::activity::{self, Changes, Entry};
use crate::auth::Agent;
use crate::db::{Optional, Tx};
use crate::error::{Error, Result};
use crate::notification::model::NotificationType;
use crate::notification::{Sender, notify};
use crate::ticket;
use crate::ticket::model::State;

/// Writes an agent's reply or note. The ticket's status stays as it is, closed included. A note tells the others on the
/// ticket; a public reply tells nobody, because the customer is not on this side of the desk.
///
/// # Errors
/// [`Error::TicketLocked`], notes included.
pub fn reply(tx: &Tx<'_>, me: &Agent, ticket: &State, new: &NewMessage) -> Result<Message> {
    if ticket.is_locked {
        return Err(Error::TicketLocked);
    }
    let is_internal = new.is_internal.unwrap_or(false);
    let id = store::insert(tx, ticket.id, me.id(), &new.content.0, is_internal)?;
    ticket::store::touch(tx, ticket.id, is_internal, false)?;
    let reference = &ticket.reference_id;
    if is_internal {
        let sender = Sender { agent_id: Some(me.id()), name: me.name(), avatar_url: me.avatar_url() };
        notify(tx, (ticket.id, reference), NotificationType::Note, &sender)?;
    } else if !ticket.was_answered {
        ticket::store::insert_event(tx, ticket, "first_response")?;
    }
    let (action, what) =
        if is_internal { ("message.noted", "left a note on") } else { ("message.replied", "replied to") };
    activity::record(
        tx,
        &me.actor(),
        Entry {
            action,
            description: format!("{} {what} {reference}", me.name()),
            subject: ("message", Some(id)),
            ticket_id: Some(ticket.id),
            changes: Changes::default(),
        },
    )?;
    store::find(tx, ticket.id, id, me.id())?.or_not_found()
}
