//! Reading tickets: whole ones, and what rules need to know of one.

use std::sync::Arc;

use rusqlite::{CachedStatement, Row, Rows};

use super::names::Names;
use crate::db::{FromRow, Ids, Tx, word};
use crate::error::{Error, Result};
use crate::reference::Reference;
use crate::ticket::model::{CustomerReference, FieldValue, Priority, State, Status, Ticket};
use crate::ticket::visibility::seen;
use crate::ticket::{Version, Visibility};
use crate::time::Timestamp;
use crate::written;
use crate::written::{Each, Perhaps, Written};

/// Whole tickets: their columns, their versions and, last, the number for which the names hold that they show. What follows
/// says which.
macro_rules! tickets {
    ($from:literal) => {
        concat!(
            "SELECT t.id, t.reference_id, t.title, t.content, t.status, t.priority, t.department_id, t.category_id, t.product_id,
               t.customer_id, t.customer_name, t.customer_email, t.assigned_to, t.is_resolved, t.is_locked, t.last_reply_at, t.closed_at,
               t.created_at, t.updated_at, t.agent_ids, t.label_ids, t.field_values, t.version, e.names
             FROM epoch e CROSS JOIN ",
            $from
        )
    };
}
/// Where the number of the names stands in such a row.
const NAMES: usize = 23;

/// About how many bytes a ticket has besides its title and content.
const BESIDES: usize = 900;

/// A ticket as it is sent, and which version of it that is.
#[derive(Debug)]
pub struct Shown {
    /// The ticket.
    pub ticket: Written<Ticket>,
    /// The version: what its `ETag` says.
    pub version: Version,
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

/// The ids in a column that copies them: `,3,5,`.
fn ids(text: &str) -> impl Iterator<Item = i64> {
    text.split(',').filter_map(|id| id.parse().ok())
}

/// What a nullable column refers to. Nothing if its name is not known.
fn shown<T>(id: Option<i64>, name: impl Fn(i64) -> Option<T>) -> Option<Option<T>> {
    match id {
        Some(id) => Some(Some(name(id)?)),
        None => Some(None),
    }
}

/// Everyone on a ticket, the lead first.
fn agents<'a>(
    row: &Row<'_>,
    lead: Option<i64>,
    names: &'a Names,
) -> rusqlite::Result<Option<Vec<&'a Written<Reference>>>> {
    let others = ids(row.get_ref(19)?.as_str()?).filter(|id| Some(*id) != lead);
    Ok(lead.into_iter().chain(others).map(|id| names.agent(id)).collect())
}

/// Most tickets have no values.
fn values(row: &Row<'_>, names: &Names) -> rusqlite::Result<Option<Vec<FieldValue>>> {
    let values = match row.get_ref(21)?.as_str()? {
        "[]" => vec![],
        text => serde_json::from_str(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(21, rusqlite::types::Type::Text, error.into())
        })?,
    };
    Ok(names.values(values))
}

/// Writes a ticket from its row; nothing if it shows a name that is not known.
fn write(row: &Row<'_>, names: &Names) -> Result<Option<Shown>> {
    let text = |column| -> rusqlite::Result<_> { Ok(row.get_ref(column)?.as_str()?) };
    let lead: Option<i64> = row.get(12)?;
    let known = (
        shown(row.get(6)?, |id| names.department(id)),
        shown(row.get(7)?, |id| names.category(id)),
        shown(row.get(8)?, |id| names.product(id)),
        shown(lead, |id| names.agent(id)),
        agents(row, lead, names)?,
        names.labels(ids(text(20)?)),
        values(row, names)?,
    );
    let (
        Some(department),
        Some(category),
        Some(product),
        Some(assigned_to),
        Some(agents),
        Some(labels),
        Some(custom_fields),
    ) = known
    else {
        return Ok(None);
    };
    let id: i64 = row.get(0)?;
    let customer = written!(CustomerReference, 128, {
        id: row.get::<_, i64>(9)?,
        name: text(10)?,
        email: text(11)?,
    })?;
    let (title, content) = (text(2)?, text(3)?);
    let ticket = written!(Ticket, title.len() + content.len() + BESIDES, {
        id: id,
        reference_id: text(1)?,
        title: title,
        content: content,
        status: word(row, 4, Status::from_word)?,
        priority: word(row, 5, Priority::from_word)?,
        department: Perhaps(department),
        category: Perhaps(category),
        product: Perhaps(product),
        customer: Perhaps(Some(&customer)),
        labels: Each(labels.iter().copied()),
        assigned_to: Perhaps(assigned_to),
        agents: Each(agents.iter().copied()),
        custom_fields: custom_fields,
        is_resolved: row.get::<_, bool>(13)?,
        is_locked: row.get::<_, bool>(14)?,
        last_reply_at: time(row, 15)?,
        closed_at: time(row, 16)?,
        created_at: Timestamp(row.get(17)?),
        updated_at: Timestamp(row.get(18)?),
    })?;
    Ok(Some(Shown { ticket, version: Version { ticket: id, own: row.get(22)?, names: row.get(NAMES)? } }))
}

/// The tickets of a statement that [`tickets`] begins.
fn read(mut rows: Rows<'_>, tx: &Tx<'_>, room: usize) -> Result<Vec<Shown>> {
    let mut tickets = Vec::with_capacity(room);
    let mut known: Option<Arc<Names>> = None;
    while let Some(row) = rows.next()? {
        let names = match known.take() {
            Some(names) => names,
            None => Names::of(tx, row.get(NAMES)?)?,
        };
        let (names, ticket) = match write(row, &names)? {
            Some(ticket) => (names, Some(ticket)),
            None => {
                let names = Names::read(tx, row.get(NAMES)?)?;
                let ticket = write(row, &names)?;
                (names, ticket)
            }
        };
        tickets
            .push(ticket.ok_or_else(|| Error::internal("a ticket refers to something that is not there"))?);
        known = Some(names);
    }
    Ok(tickets)
}

/// Whole tickets, in the order of their ids here: one statement, however many tickets.
///
/// # Errors
/// What SQLite says.
pub fn find_all(tx: &Tx<'_>, ids: &[i64]) -> Result<Vec<Written<Ticket>>> {
    let mut statement =
        tx.conn.prepare_cached(tickets!("rarray(?) wanted CROSS JOIN ticket t ON t.id = wanted.value"))?;
    let shown = read(statement.query([Ids::from(ids.iter().copied())])?, tx, ids.len())?;
    Ok(shown.into_iter().map(|shown| shown.ticket).collect())
}

/// One whole ticket that is known to be there.
///
/// # Errors
/// What SQLite says, or [`Error::NotFound`].
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Shown> {
    find_seen(tx, &Visibility::Desk, id)?.ok_or(Error::NotFound)
}

/// One whole ticket, if it is seen.
///
/// # Errors
/// What SQLite says.
pub fn find_seen(tx: &Tx<'_>, visibility: &Visibility, id: i64) -> Result<Option<Shown>> {
    let sql = seen!(visibility, tickets!("ticket t WHERE t.id = ?1 AND "));
    let mut statement = ask(tx, visibility, sql, id)?;
    Ok(read(statement.raw_query(), tx, 1)?.pop())
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
    let sql = seen!(
        visibility,
        "SELECT t.id, t.version, e.names FROM ticket t CROSS JOIN epoch e WHERE t.id = ?1 AND "
    );
    first_seen(tx, visibility, sql, id)
}

impl FromRow for CustomerReference {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, email: row.get(2)? })
    }
}

/// The customer of a ticket, if the ticket is seen.
///
/// # Errors
/// What SQLite says.
pub fn find_customer(tx: &Tx<'_>, visibility: &Visibility, id: i64) -> Result<Option<CustomerReference>> {
    let sql = seen!(
        visibility,
        "SELECT t.customer_id, t.customer_name, t.customer_email FROM ticket t WHERE t.id = ?1 AND "
    );
    first_seen(tx, visibility, sql, id)
}

/// What rules need to know of a ticket, if it is seen.
///
/// # Errors
/// What SQLite says.
pub fn find_state(tx: &Tx<'_>, visibility: &Visibility, id: i64) -> Result<Option<State>> {
    let sql = seen!(
        visibility,
        "SELECT t.id, t.reference_id, t.status, t.priority, t.department_id, t.category_id, t.product_id, t.customer_id,
           t.assigned_to, t.is_resolved, t.is_locked,
           EXISTS (SELECT 1 FROM ticket_event x WHERE x.ticket_id = t.id AND x.kind = 'first_response'),
           t.created_at, t.version, e.names
         FROM ticket t CROSS JOIN epoch e WHERE t.id = ?1 AND "
    );
    first_seen(tx, visibility, sql, id)
}

/// A statement of [`seen!`], bound to a ticket, its first parameter, and to who looks at it.
fn ask<'a>(tx: &Tx<'a>, visibility: &Visibility, sql: &str, id: i64) -> Result<CachedStatement<'a>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    statement.raw_bind_parameter(1, id)?;
    if *visibility != Visibility::Desk {
        statement.raw_bind_parameter(2, visibility.agent_id())?;
    }
    if let Visibility::Departments(_, departments) = visibility {
        statement.raw_bind_parameter(3, Ids::from(departments.iter().copied()))?;
    }
    Ok(statement)
}

fn first_seen<T: FromRow>(tx: &Tx<'_>, visibility: &Visibility, sql: &str, id: i64) -> Result<Option<T>> {
    let mut statement = ask(tx, visibility, sql, id)?;
    let mut rows = statement.raw_query();
    Ok(rows.next()?.map(T::from_row).transpose()?)
}
