//! Reading tickets: whole ones, and what rules need to know of one.

use std::collections::HashMap;

use rusqlite::Row;

use crate::custom_field::model::FieldType;
use crate::db::{FromRow, Ids, Tx, all, all_named, word};
use crate::error::{Error, Result};
use crate::label::model::LabelReference;
use crate::reference::Reference;
use crate::ticket::model::{CustomerReference, FieldValue, Priority, State, Status, Ticket};
use crate::ticket::{Version, Visibility};
use crate::time::Timestamp;

/// A ticket's own columns and those of what it refers to, read whole by [`find_all`].
const TICKETS: &str = "
    SELECT t.id, t.reference_id, t.title, t.content, t.status, t.priority, t.department_id, d.name, t.category_id, c.name,
      t.product_id, p.name, t.customer_id, u.name, u.email, t.assigned_to, t.is_resolved, t.is_locked, t.last_reply_at,
      t.closed_at, t.created_at, t.updated_at
    FROM rarray(?) wanted CROSS JOIN ticket t ON t.id = wanted.value
      LEFT JOIN department d ON d.id = t.department_id
      LEFT JOIN category c ON c.id = t.category_id
      LEFT JOIN product p ON p.id = t.product_id
      LEFT JOIN customer u ON u.id = t.customer_id";

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

fn reference(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Reference>> {
    match row.get(column)? {
        Some(id) => Ok(Some(Reference { id, name: row.get(column + 1)? })),
        None => Ok(None),
    }
}

impl FromRow for Ticket {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let customer: Option<i64> = row.get(12)?;
        Ok(Self {
            id: row.get(0)?,
            reference_id: row.get(1)?,
            title: row.get(2)?,
            content: row.get(3)?,
            status: word(row, 4, Status::from_word)?,
            priority: word(row, 5, Priority::from_word)?,
            department: reference(row, 6)?,
            category: reference(row, 8)?,
            product: reference(row, 10)?,
            customer: match customer {
                Some(id) => Some(CustomerReference { id, name: row.get(13)?, email: row.get(14)? }),
                None => None,
            },
            labels: vec![],
            // The name follows with the agents, among whom the lead always is.
            assigned_to: row.get::<_, Option<i64>>(15)?.map(|id| Reference { id, name: String::new() }),
            agents: vec![],
            custom_fields: vec![],
            is_resolved: row.get(16)?,
            is_locked: row.get(17)?,
            last_reply_at: time(row, 18)?,
            closed_at: time(row, 19)?,
            created_at: Timestamp(row.get(20)?),
            updated_at: Timestamp(row.get(21)?),
        })
    }
}

/// Something that belongs to a ticket: the ticket's id, then the thing's columns.
struct Under<T>(i64, T);

impl FromRow for Under<LabelReference> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(row.get(0)?, LabelReference { id: row.get(1)?, name: row.get(2)?, color: row.get(3)? }))
    }
}

impl FromRow for Under<Reference> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(row.get(0)?, Reference { id: row.get(1)?, name: row.get(2)? }))
    }
}

impl FromRow for Under<FieldValue> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let kind = word(row, 3, FieldType::from_word)?;
        Ok(Self(row.get(0)?, FieldValue { id: row.get(1)?, label: row.get(2)?, kind, value: row.get(4)? }))
    }
}

/// Whole tickets, in the order of their ids here: four statements, however many tickets.
///
/// # Errors
/// What SQLite says.
pub fn find_all(tx: &Tx<'_>, ids: &[i64]) -> Result<Vec<Ticket>> {
    let wanted = || [Ids::from(ids.iter().copied())];
    let mut tickets: Vec<Ticket> = all(tx, TICKETS, wanted())?;
    let place: HashMap<i64, usize> = tickets.iter().enumerate().map(|(n, ticket)| (ticket.id, n)).collect();
    let labels = "SELECT tl.ticket_id, l.id, l.name, l.color
        FROM rarray(?) wanted CROSS JOIN ticket_label tl ON tl.ticket_id = wanted.value JOIN label l ON l.id = tl.label_id
        ORDER BY l.sort_order, l.name_fold, l.id";
    for Under(ticket, label) in all::<Under<LabelReference>>(tx, labels, wanted())? {
        if let Some(ticket) = place.get(&ticket).and_then(|n| tickets.get_mut(*n)) {
            ticket.labels.push(label);
        }
    }
    let agents = "SELECT ta.ticket_id, a.id, a.name
        FROM rarray(?) wanted CROSS JOIN ticket_agent ta ON ta.ticket_id = wanted.value JOIN agent a ON a.id = ta.agent_id";
    for Under(ticket, agent) in all::<Under<Reference>>(tx, agents, wanted())? {
        if let Some(ticket) = place.get(&ticket).and_then(|n| tickets.get_mut(*n)) {
            let lead = ticket.assigned_to.as_mut().filter(|lead| lead.id == agent.id);
            match lead {
                Some(lead) => {
                    lead.name.clone_from(&agent.name);
                    ticket.agents.insert(0, agent);
                }
                None => ticket.agents.push(agent),
            }
        }
    }
    let fields = "SELECT tf.ticket_id, f.id, f.label, f.type, tf.value
        FROM rarray(?) wanted CROSS JOIN ticket_field tf ON tf.ticket_id = wanted.value
          JOIN custom_field f ON f.id = tf.custom_field_id
        ORDER BY f.sort_order, f.id";
    for Under(ticket, value) in all::<Under<FieldValue>>(tx, fields, wanted())? {
        if let Some(ticket) = place.get(&ticket).and_then(|n| tickets.get_mut(*n)) {
            ticket.custom_fields.push(value);
        }
    }
    Ok(tickets)
}

/// One whole ticket that is known to be there.
///
/// # Errors
/// What SQLite says, or [`Error::NotFound`].
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Ticket> {
    find_all(tx, &[id])?.pop().ok_or(Error::NotFound)
}

impl FromRow for Version {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { ticket: row.get(0)?, own: row.get(1)?, names: row.get(2)? })
    }
}

impl FromRow for State {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            reference_id: row.get(1)?,
            status: word(row, 2, Status::from_word)?,
            priority: word(row, 3, Priority::from_word)?,
            department_id: row.get(4)?,
            category_id: row.get(5)?,
            product_id: row.get(6)?,
            customer_id: row.get(7)?,
            lead_id: row.get(8)?,
            is_resolved: row.get(9)?,
            is_locked: row.get(10)?,
            was_answered: row.get(11)?,
            created_at: Timestamp(row.get(12)?),
            version: Version { ticket: row.get(0)?, own: row.get(13)?, names: row.get(14)? },
        })
    }
}

/// The version of a ticket, if it is seen.
///
/// # Errors
/// What SQLite says.
pub fn find_version(tx: &Tx<'_>, visibility: &Visibility, id: i64) -> Result<Option<Version>> {
    let sql = format!(
        "SELECT t.id, t.version, e.names FROM ticket t CROSS JOIN epoch e WHERE t.id = :id AND {}",
        visibility.condition()
    );
    Ok(find_seen(tx, visibility, &sql, id)?.pop())
}

/// What rules need to know of a ticket, if it is seen.
///
/// # Errors
/// What SQLite says.
pub fn find_state(tx: &Tx<'_>, visibility: &Visibility, id: i64) -> Result<Option<State>> {
    let sql = format!(
        "SELECT t.id, t.reference_id, t.status, t.priority, t.department_id, t.category_id, t.product_id, t.customer_id,
           t.assigned_to, t.is_resolved, t.is_locked,
           EXISTS (SELECT 1 FROM ticket_event x WHERE x.ticket_id = t.id AND x.kind = 'first_response'),
           t.created_at, t.version, e.names
         FROM ticket t CROSS JOIN epoch e WHERE t.id = :id AND {}",
        visibility.condition()
    );
    Ok(find_seen(tx, visibility, &sql, id)?.pop())
}

fn find_seen<T: FromRow>(tx: &Tx<'_>, visibility: &Visibility, sql: &str, id: i64) -> Result<Vec<T>> {
    let departments = Ids::from(visibility.departments().iter().copied());
    all_named(tx, sql, &[(":id", &id), (":me", &visibility.agent_id()), (":departments", &departments)])
}
