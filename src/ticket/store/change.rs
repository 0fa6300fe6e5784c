//! What writes to a ticket.

use rusqlite::{Row, params};

use crate::custom_field::model::FieldType;
use crate::db::{FromRow, Ids, Tx, all, execute, exists, first, inserted, one, search, word};
use crate::error::Result;
use crate::ticket::model::{FieldRule, Priority, State, Texts};
use crate::time::{SECOND, Timestamp};

/// A ticket to be written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// What people will call it.
    pub reference_id: &'a str,
    /// What it is about.
    pub title: &'a str,
    /// The opening text.
    pub content: &'a str,
    /// How urgent it is.
    pub priority: Priority,
    /// Department, category, product.
    pub place: (Option<i64>, Option<i64>, Option<i64>),
    /// Who asks.
    pub customer_id: i64,
    /// Who leads it.
    pub lead_id: Option<i64>,
}

/// Writes a new open ticket with its lead on it and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, draft: &Draft<'_>) -> Result<i64> {
    let (department, category, product) = draft.place;
    let id = inserted(
        tx,
        "INSERT INTO ticket (reference_id, title, content, priority, department_id, category_id, product_id, customer_id,
           assigned_to, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        params![
            draft.reference_id,
            draft.title,
            draft.content,
            draft.priority.as_str(),
            department,
            category,
            product,
            draft.customer_id,
            draft.lead_id,
            tx.now.0
        ],
    )?;
    replace_agents(tx, id, draft.lead_id.as_slice())?;
    Ok(id)
}

/// Writes a ticket's fields as they are in `after`; moves `version` and `updated_at`. Entering `closed` sets `closed_at`,
/// leaving it clears it.
///
/// # Errors
/// What SQLite says.
pub fn update(tx: &Tx<'_>, after: &State) -> Result<()> {
    execute(
        tx,
        "UPDATE ticket SET status = ?2, priority = ?3, is_resolved = ?4, is_locked = ?5, department_id = ?6, category_id = ?7,
           product_id = ?8, customer_id = ?9, assigned_to = ?10,
           closed_at = CASE WHEN ?2 = 'closed' THEN ifnull(closed_at, ?11) END, updated_at = ?11, version = version + 1
         WHERE id = ?1",
        params![
            after.id,
            after.status.as_str(),
            after.priority.as_str(),
            after.is_resolved,
            after.is_locked,
            after.department_id,
            after.category_id,
            after.product_id,
            after.customer_id,
            after.lead_id,
            tx.now.0
        ],
    )?;
    Ok(())
}

/// Deletes a ticket and everything under it.
///
/// # Errors
/// What SQLite says.
pub fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
    search::forget_ticket(tx, id)?;
    execute(tx, "DELETE FROM ticket WHERE id = ?", [id])?;
    Ok(())
}

impl FromRow for Texts {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { title: row.get(0)?, content: row.get(1)? })
    }
}

/// What a ticket says.
///
/// # Errors
/// What SQLite says.
pub fn find_texts(tx: &Tx<'_>, id: i64) -> Result<Texts> {
    one(tx, "SELECT title, content FROM ticket WHERE id = ?", [id])
}

/// Writes what a ticket says.
///
/// # Errors
/// What SQLite says.
pub fn update_texts(tx: &Tx<'_>, id: i64, texts: &Texts) -> Result<()> {
    execute(
        tx,
        "UPDATE ticket SET title = ?, content = ? WHERE id = ?",
        params![texts.title, texts.content, id],
    )?;
    Ok(())
}

/// The ids of a ticket's labels.
///
/// # Errors
/// What SQLite says.
pub fn labels(tx: &Tx<'_>, id: i64) -> Result<Vec<i64>> {
    all(tx, "SELECT label_id FROM ticket_label WHERE ticket_id = ? ORDER BY label_id", [id])
}

/// Gives a ticket these labels and no others.
///
/// # Errors
/// What SQLite says.
pub fn replace_labels(tx: &Tx<'_>, id: i64, labels: &[i64]) -> Result<()> {
    let wanted = || Ids::from(labels.iter().copied());
    execute(
        tx,
        "DELETE FROM ticket_label WHERE ticket_id = ? AND label_id NOT IN rarray(?)",
        params![id, wanted()],
    )?;
    execute(
        tx,
        "INSERT INTO ticket_label (ticket_id, label_id) SELECT ?, value FROM rarray(?) WHERE true ON CONFLICT DO NOTHING",
        params![id, wanted()],
    )?;
    Ok(())
}

/// The ids of the agents on a ticket.
///
/// # Errors
/// What SQLite says.
pub fn agents(tx: &Tx<'_>, id: i64) -> Result<Vec<i64>> {
    all(tx, "SELECT agent_id FROM ticket_agent WHERE ticket_id = ? ORDER BY agent_id", [id])
}

/// Puts these agents and no others on a ticket, who find it from then on.
///
/// # Errors
/// What SQLite says.
pub fn replace_agents(tx: &Tx<'_>, id: i64, agents: &[i64]) -> Result<()> {
    let had = self::agents(tx, id)?;
    let wanted = || Ids::from(agents.iter().copied());
    execute(
        tx,
        "DELETE FROM ticket_agent WHERE ticket_id = ? AND agent_id NOT IN rarray(?)",
        params![id, wanted()],
    )?;
    execute(
        tx,
        "INSERT INTO ticket_agent (ticket_id, agent_id, status, priority, department_id, awaits_reply, created_at, updated_at,
           last_reply_at, closed_at)
         SELECT t.id, wanted.value, t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at,
           t.last_reply_at, t.closed_at
         FROM ticket t, rarray(?) wanted WHERE t.id = ? ON CONFLICT DO NOTHING",
        params![wanted(), id],
    )?;
    search::move_ticket(tx, id, &had, agents)
}

/// Those of these agents who are active.
///
/// # Errors
/// What SQLite says.
pub fn filter_active(tx: &Tx<'_>, agents: &[i64]) -> Result<Vec<i64>> {
    all(
        tx,
        "SELECT id FROM agent WHERE id IN rarray(?) AND is_active AND deleted_at IS NULL",
        [Ids::from(agents.iter().copied())],
    )
}

/// The agent whose turn it is in a department: active, with the fewest led tickets that are not closed, then the one who
/// became a lead longest ago, then the lowest id.
///
/// # Errors
/// What SQLite says.
pub fn next_lead(tx: &Tx<'_>, department_id: i64) -> Result<Option<i64>> {
    first(
        tx,
        "SELECT a.id FROM agent_department d JOIN agent a ON a.id = d.agent_id
         WHERE d.department_id = ? AND a.is_active AND a.deleted_at IS NULL
         ORDER BY (SELECT count(*) FROM ticket t WHERE t.assigned_to = a.id AND t.status <> 'closed'),
           a.last_assigned_at, a.id
         LIMIT 1",
        [department_id],
    )
}

/// Notes that an agent became a lead now.
///
/// # Errors
/// What SQLite says.
pub fn touch_lead(tx: &Tx<'_>, agent_id: i64) -> Result<()> {
    execute(tx, "UPDATE agent SET last_assigned_at = ? WHERE id = ?", [tx.now.0, agent_id])?;
    Ok(())
}

/// Something a ticket can refer to that may be a draft.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A department.
    Department,
    /// A category.
    Category,
    /// A product.
    Product,
}

/// Whether there is such a place and it is published.
///
/// # Errors
/// What SQLite says.
pub fn is_published(tx: &Tx<'_>, place: Place, id: i64) -> Result<bool> {
    let sql = match place {
        Place::Department => "SELECT 1 FROM department WHERE id = ? AND status = 'published'",
        Place::Category => "SELECT 1 FROM category WHERE id = ? AND status = 'published'",
        Place::Product => "SELECT 1 FROM product WHERE id = ? AND status = 'published'",
    };
    exists(tx, sql, [id])
}

impl FromRow for FieldRule {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: word(row, 1, FieldType::from_word)?,
            is_published: row.get(2)?,
            is_required: row.get(3)?,
        })
    }
}

/// Every custom field, as values are checked against it.
///
/// # Errors
/// What SQLite says.
pub fn field_rules(tx: &Tx<'_>) -> Result<Vec<FieldRule>> {
    all(tx, "SELECT id, type, status = 'published', is_required FROM custom_field ORDER BY id", [])
}

/// A ticket's value for a custom field.
pub struct StoredField(pub i64, pub String);

impl FromRow for StoredField {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(row.get(0)?, row.get(1)?))
    }
}

/// The values a ticket has, by custom field id.
///
/// # Errors
/// What SQLite says.
pub fn fields(tx: &Tx<'_>, id: i64) -> Result<Vec<StoredField>> {
    let sql = "SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = ? ORDER BY custom_field_id";
    all(tx, sql, [id])
}

/// Sets a ticket's value for a custom field, or removes it.
///
/// # Errors
/// What SQLite says.
pub fn set_field(tx: &Tx<'_>, id: i64, field: i64, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => execute(
            tx,
            "INSERT INTO ticket_field VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            params![id, field, value],
        )?,
        None => execute(
            tx,
            "DELETE FROM ticket_field WHERE ticket_id = ? AND custom_field_id = ?",
            params![id, field],
        )?,
    };
    Ok(())
}

/// How many tickets a customer has opened since a moment.
///
/// # Errors
/// What SQLite says.
pub fn count_opened_since(tx: &Tx<'_>, customer_id: i64, since: Timestamp) -> Result<i64> {
    one(tx, "SELECT count(*) FROM ticket WHERE customer_id = ? AND created_at >= ?", [customer_id, since.0])
}

/// Tickets that wait for nobody but the customer and have not been touched since `before`, longest untouched first.
///
/// # Errors
/// What SQLite says.
pub fn idle(tx: &Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<i64>> {
    all(
        tx,
        "SELECT id FROM ticket WHERE status <> 'closed' AND awaits_reply = 0 AND updated_at < ? ORDER BY updated_at LIMIT ?",
        [before.0, limit],
    )
}

/// Notes that a message was written: `updated_at` and the version move with any, `last_reply_at` with a public one, and who
/// had the last word with it.
///
/// # Errors
/// What SQLite says.
pub fn touch(tx: &Tx<'_>, id: i64, is_internal: bool, by_customer: bool) -> Result<()> {
    execute(
        tx,
        "UPDATE ticket SET updated_at = ?2, version = version + 1,
           last_reply_at = CASE WHEN ?3 THEN last_reply_at ELSE ?2 END,
           awaits_reply = CASE WHEN ?3 THEN awaits_reply ELSE ?4 END
         WHERE id = ?1",
        params![id, tx.now.0, is_internal, by_customer],
    )?;
    Ok(())
}

/// Records a fact for the reports: who led the ticket and where it was, and how long after it was opened.
///
/// # Errors
/// What SQLite says.
pub fn insert_event(tx: &Tx<'_>, ticket: &State, kind: &str) -> Result<()> {
    let seconds = (tx.now.0 - ticket.created_at.0).max(0) / SECOND;
    execute(
        tx,
        "INSERT INTO ticket_event (ticket_id, kind, at, agent_id, department_id, seconds) VALUES (?, ?, ?, ?, ?, ?)",
        params![ticket.id, kind, tx.now.0, ticket.lead_id, ticket.department_id, seconds],
    )?;
    Ok(())
}
