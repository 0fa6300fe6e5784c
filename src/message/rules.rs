//! What may be written under a ticket, and what follows from it.

use super::model::{AdminNewMessage, Message, NewMessage, SenderType};
use super::store;
use crate::activity::{self, Changes, Entry};
use crate::auth::{Admin, Agent};
use crate::customer::model::Customer;
use crate::db::{Optional, Tx};
use crate::error::{Error, Result};
use crate::notification::model::NotificationType;
use crate::notification::notify;
use crate::noun::Stored;
use crate::ticket;
use crate::ticket::model::{State, Status};
use crate::ticket::rules::Doer;
use crate::written::Written;

/// Writes an agent's reply or note. The ticket's status stays as it is, closed included. A note tells the others on the
/// ticket; a public reply tells nobody, because the customer is not on this side of the desk.
///
/// # Errors
/// [`Error::TicketLocked`], notes included.
pub fn reply(tx: &Tx<'_>, me: &Agent, ticket: &State, new: &NewMessage) -> Result<Written<Message>> {
    if ticket.is_locked {
        return Err(Error::TicketLocked);
    }
    let is_internal = new.is_internal.unwrap_or(false);
    let id = write(tx, &Doer::from(me), (SenderType::Agent, me.id()), ticket, &new.content.0, is_internal)?;
    store::find(tx, ticket.id, id, me.id())?.or_not_found()
}

/// Writes a message for the desk, on locked tickets too, or for the ticket's customer.
///
/// # Errors
/// As [`receive`] for a customer's.
pub fn post(tx: &Tx<'_>, me: &Admin, ticket: &State, new: &AdminNewMessage) -> Result<Written<Message>> {
    let is_internal = new.is_internal.unwrap_or(false);
    let id = match &new.customer_id {
        Some(customer) => receive(tx, me, ticket, customer.0, &new.content.0)?,
        None => {
            let sender = (SenderType::User, me.key_id());
            write(tx, &Doer::from(me), sender, ticket, &new.content.0, is_internal)?
        }
    };
    store::find(tx, ticket.id, id, 0)?.or_not_found()
}

/// Writes a message of the staff.
fn write(
    tx: &Tx<'_>,
    doer: &Doer<'_>,
    sender: (SenderType, i64),
    ticket: &State,
    content: &str,
    is_internal: bool,
) -> Result<i64> {
    let id = store::insert(tx, ticket.id, sender, content, is_internal)?;
    ticket::store::touch(tx, ticket.id, is_internal, false)?;
    if is_internal {
        notify(tx, (ticket.id, &ticket.reference_id), NotificationType::Note, &doer.sender())?;
    } else if !ticket.was_answered {
        ticket::store::insert_event(tx, ticket, "first_response")?;
    }
    let (action, what) =
        if is_internal { ("message.noted", "left a note on") } else { ("message.replied", "replied to") };
    record(tx, doer, ticket, id, action, format!("{} {what} {}", doer.name(), ticket.reference_id))?;
    Ok(id)
}

/// Takes in a customer's message, which opens a closed ticket again. Tells everyone on the ticket.
///
/// # Errors
/// [`Error::Invalid`] when it is not this ticket's customer, [`Error::CustomerBlocked`], [`Error::TicketLocked`].
fn receive(tx: &Tx<'_>, me: &Admin, ticket: &State, customer_id: i64, content: &str) -> Result<i64> {
    let customer = Customer::find(tx, ticket.customer_id)?.or_not_found()?;
    let is_theirs = customer_id == ticket.customer_id;
    if is_theirs && customer.is_blocked {
        return Err(Error::CustomerBlocked);
    }
    if ticket.is_locked {
        return Err(Error::TicketLocked);
    }
    if !is_theirs {
        return Err(Error::field("customer_id", "is not the customer of this ticket"));
    }
    let id = store::insert(tx, ticket.id, (SenderType::Customer, customer_id), content, false)?;
    ticket::store::touch(tx, ticket.id, false, true)?;
    let doer = Doer { speaks_for: Some(&customer.name), ..Doer::from(me) };
    let reference = &ticket.reference_id;
    notify(tx, (ticket.id, reference), NotificationType::Reply, &doer.sender())?;
    record(tx, &doer, ticket, id, "message.received", format!("{} wrote on {reference}", customer.name))?;
    if ticket.status == Status::Closed {
        ticket::rules::reopen(tx, &doer, ticket)?;
    }
    Ok(id)
}

fn record(
    tx: &Tx<'_>,
    doer: &Doer<'_>,
    ticket: &State,
    id: i64,
    action: &str,
    description: String,
) -> Result<()> {
    let subject = ("message", Some(id));
    let changes = Changes::default();
    activity::record(
        tx,
        &doer.actor,
        Entry { action, description, subject, ticket_id: Some(ticket.id), changes },
    )
}
