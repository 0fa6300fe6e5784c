//! What reports read. Every statement walks an index once, and how many statements there are depends on nothing: a period of
//! millions of events is streamed, never held.

use std::collections::HashSet;

use rusqlite::{Row, params};

use crate::db::{FromRow, Tx, all, each, word};
use crate::error::Result;
use crate::reference::Reference;
use crate::ticket::model::{Priority, Status};
use crate::time::Timestamp;

/// Whose events a report tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Nobody's: all of them belong to group 0.
    Desk,
    /// Those of the agents who led the tickets at the time.
    Agents,
    /// Those of the departments that the tickets were in at the time.
    Departments,
}

impl Grouping {
    fn column(self) -> &'static str {
        match self {
            Self::Desk => "0",
            Self::Agents => "e.agent_id",
            Self::Departments => "e.department_id",
        }
    }
}

/// A ticket was created.
#[derive(Debug)]
pub struct Creation {
    /// Whose event it is.
    pub group: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// The status the ticket has now.
    pub status: Status,
    /// The priority the ticket has now.
    pub priority: Priority,
}

impl FromRow for Creation {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            group: row.get(0)?,
            at: Timestamp(row.get(1)?),
            status: word(row, 2, Status::from_word)?,
            priority: word(row, 3, Priority::from_word)?,
        })
    }
}

/// Something happened to a ticket.
#[derive(Debug)]
pub struct Event {
    /// The event's own id.
    pub id: i64,
    /// Whose event it is.
    pub group: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// How many seconds after the ticket's creation.
    pub seconds: i64,
}

impl FromRow for Event {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, group: row.get(1)?, at: Timestamp(row.get(2)?), seconds: row.get(3)? })
    }
}

/// Hands over every creation of a ticket between two moments, the second excluded.
///
/// # Errors
/// What SQLite says.
pub fn each_creation(
    tx: &Tx<'_>,
    by: Grouping,
    (from, to): (Timestamp, Timestamp),
    take: impl FnMut(Creation),
) -> Result<()> {
    // A ticket is created and its creation noted at the same moment, so what it is now is found in the index that goes by
    // time, side by side with the events. The table itself, with its texts, would have to be read only if that were not so.
    let sql = format!(
        "SELECT {}, e.at,
           coalesce(t.status, (SELECT status FROM ticket WHERE id = e.ticket_id)),
           coalesce(t.priority, (SELECT priority FROM ticket WHERE id = e.ticket_id))
         FROM ticket_event e LEFT JOIN ticket t INDEXED BY ticket_created ON t.created_at = e.at AND t.id = e.ticket_id
         WHERE e.kind = 'created' AND e.at >= ? AND e.at < ?",
        by.column()
    );
    each(tx, &sql, params![from.0, to.0], take)
}

/// Hands over every event of a kind between two moments, the second excluded.
///
/// # Errors
/// What SQLite says.
pub fn each_event(
    tx: &Tx<'_>,
    kind: &str,
    by: Grouping,
    (from, to): (Timestamp, Timestamp),
    take: impl FnMut(Event),
) -> Result<()> {
    let sql = format!(
        "SELECT e.id, {}, e.at, e.seconds FROM ticket_event e WHERE e.kind = ? AND e.at >= ? AND e.at < ?",
        by.column()
    );
    each(tx, &sql, params![kind, from.0, to.0], take)
}

/// The closes since `from` that were not their ticket's last. Only a ticket that was reopened after such a close has one, so
/// only those tickets are looked at.
///
/// # Errors
/// What SQLite says.
pub fn find_earlier_closes(tx: &Tx<'_>, from: Timestamp) -> Result<HashSet<i64>> {
    let closes: Vec<i64> = all(
        tx,
        "SELECT id FROM (
           SELECT c.id, lead(c.id) OVER (PARTITION BY c.ticket_id ORDER BY c.at, c.id) AS next
           FROM (SELECT DISTINCT ticket_id FROM ticket_event WHERE kind = 'reopened' AND at >= ?) r
             CROSS JOIN ticket_event c ON c.ticket_id = r.ticket_id AND c.kind = 'closed')
         WHERE next IS NOT NULL",
        [from.0],
    )?;
    Ok(closes.into_iter().collect())
}

/// A number of tickets and whose they are.
struct Owned(i64, i64);

impl FromRow for Owned {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(row.get(0)?, row.get(1)?))
    }
}

/// How many tickets are not closed now, by group: where they are now, and who leads them now.
///
/// # Errors
/// What SQLite says.
pub fn count_open(tx: &Tx<'_>, by: Grouping) -> Result<Vec<(i64, i64)>> {
    let sql = match by {
        Grouping::Desk => {
            "SELECT 0, ifnull(sum(n), 0) FROM ticket_count WHERE agent_id = 0 AND status <> 'closed'"
        }
        Grouping::Agents => {
            "SELECT assigned_to, count(*) FROM ticket WHERE status <> 'closed' AND assigned_to IS NOT NULL
             GROUP BY assigned_to"
        }
        Grouping::Departments => {
            "SELECT department_id, sum(n) FROM ticket_count WHERE agent_id = 0 AND status <> 'closed'
             GROUP BY department_id"
        }
    };
    Ok(all::<Owned>(tx, sql, [])?.into_iter().map(|owned| (owned.0, owned.1)).collect())
}

/// Somebody or something that a report has an item for.
struct Subject(Reference);

impl FromRow for Subject {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(Reference { id: row.get(0)?, name: row.get(1)? }))
    }
}

/// Every agent that is not deleted, by name.
///
/// # Errors
/// What SQLite says.
pub fn list_agents(tx: &Tx<'_>) -> Result<Vec<Reference>> {
    let agents = all(tx, "SELECT id, name FROM agent WHERE deleted_at IS NULL ORDER BY name_fold, id", [])?;
    Ok(agents.into_iter().map(|Subject(agent)| agent).collect())
}

/// Every department, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_departments(tx: &Tx<'_>) -> Result<Vec<Reference>> {
    let departments = all(tx, "SELECT id, name FROM department ORDER BY sort_order, name_fold, id", [])?;
    Ok(departments.into_iter().map(|Subject(department)| department).collect())
}
