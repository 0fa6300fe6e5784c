//! What may be done to a ticket, and what follows from it.

use super::model::{State, Status, TicketPatch};
use super::{Condition, Version, Visibility, store};
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::Agent;
use crate::db::{Optional, Tx};
use crate::error::{Error, Result};
use crate::label;
use crate::notification::model::NotificationType;
use crate::notification::{Sender, notify};

/// The ticket as it stands, if the caller sees it.
///
/// # Errors
/// [`Error::NotFound`], for a ticket that is not there and for one the caller does not see alike.
pub fn find_visible(tx: &Tx<'_>, me: &Agent, id: i64) -> Result<State> {
    store::find_state(tx, &Visibility::from(me), id)?.or_not_found()
}

/// The version of a ticket the caller sees.
///
/// # Errors
/// [`Error::NotFound`].
pub fn find_version(tx: &Tx<'_>, me: &Agent, id: i64) -> Result<Version> {
    store::find_version(tx, &Visibility::from(me), id)?.or_not_found()
}

/// Changes a ticket's status, priority and labels; locked tickets too.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`], [`Error::Invalid`] for labels that are not there to be set.
pub fn update(tx: &Tx<'_>, me: &Agent, id: i64, patch: &TicketPatch, seen: &Condition) -> Result<()> {
    let ticket = find_visible(tx, me, id)?;
    seen.require(ticket.version)?;
    let status = patch.status.unwrap_or(ticket.status);
    let priority = patch.priority.unwrap_or(ticket.priority);
    let mut changes = Changes::default();
    changes.note("status", ticket.status.as_str(), status.as_str());
    changes.note("priority", ticket.priority.as_str(), priority.as_str());
    let labels = match &patch.labels {
        Some(wanted) => {
            let had = store::labels(tx, id)?;
            let mut wanted: Vec<i64> = wanted.iter().map(|label| label.0).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let new: Vec<i64> = wanted.iter().copied().filter(|label| !had.contains(label)).collect();
            let published = label::store::filter_published(tx, &new)?;
            if let Some(missing) = new.iter().find(|label| !published.contains(label)) {
                return Err(Error::field("labels", format!("there is no published label {missing}")));
            }
            changes.note("labels", had, wanted.clone());
            Some(wanted)
        }
        None => None,
    };
    if changes.is_empty() {
        return Ok(());
    }
    let is_resolved = match (ticket.status, status) {
        (before, after) if before == after => ticket.is_resolved,
        (_, Status::Closed) => true,
        (Status::Closed, _) => false,
        _ => ticket.is_resolved,
    };
    changes.note("is_resolved", ticket.is_resolved, is_resolved);
    if let Some(labels) = &labels {
        store::replace_labels(tx, id, labels)?;
    }
    store::update(tx, id, status, priority, is_resolved)?;
    after_change(tx, &me.actor(), me.avatar_url(), &ticket, status, changes)
}

/// Closes a ticket. One that is closed already stays as it is.
///
/// # Errors
/// What SQLite says.
pub fn close(tx: &Tx<'_>, me: &Agent, ticket: &State) -> Result<()> {
    if ticket.status == Status::Closed {
        return Ok(());
    }
    let mut changes = Changes::default();
    changes.note("status", ticket.status.as_str(), Status::Closed.as_str());
    changes.note("is_resolved", ticket.is_resolved, true);
    store::update(tx, ticket.id, Status::Closed, ticket.priority, true)?;
    after_change(tx, &me.actor(), me.avatar_url(), ticket, Status::Closed, changes)
}

/// What follows from a change: the facts for the reports, the activity log, and the others on the ticket are told.
fn after_change(
    tx: &Tx<'_>,
    actor: &Actor,
    avatar_url: Option<&str>,
    ticket: &State,
    status: Status,
    changes: Changes,
) -> Result<()> {
    let reference = &ticket.reference_id;
    let (action, what) = match (ticket.status, status) {
        (before, after) if before == after => ("ticket.updated", None),
        (_, Status::Closed) => ("ticket.closed", Some("closed")),
        (Status::Closed, _) => ("ticket.reopened", Some("reopened")),
        _ => ("ticket.updated", None),
    };
    if let Some(kind) = what {
        store::insert_event(tx, ticket, kind)?;
    }
    let description = match what {
        Some(verb) => format!("{} {verb} {reference}", actor.name),
        None => format!("{} changed {} of {reference}", actor.name, changes.fields()),
    };
    activity::record(
        tx,
        actor,
        Entry {
            action,
            description,
            subject: ("ticket", Some(ticket.id)),
            ticket_id: Some(ticket.id),
            changes,
        },
    )?;
    if status != ticket.status {
        let sender = Sender { agent_id: actor.agent_id(), name: &actor.name, avatar_url };
        notify(tx, (ticket.id, reference), NotificationType::Status, &sender)?;
    }
    Ok(())
}
