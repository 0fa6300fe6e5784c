//! Reading tickets: whole ones, and what rules need to know of one.

use std::sync::Arc;

use rusqlite::{CachedStatement, Row, Rows};

use super::names::Names;
use crate::db::{FromRow, Ids, Tx, text, word};
use crate::error::{Error, Result};
use crate::label::model::LabelReference;
use crate::reference::Reference;
use crate::ticket::model::{CustomerReference, FieldValue, Priority, State, Status, Ticket};
use crate::ticket::visibility::seen;
use crate::ticket::{Version, Visibility};
use crate::time::Timestamp;
use crate::written;
use crate::written::{At, Each, Perhaps, Writing, Written};

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

/// About how many bytes a ticket has.
const ROOM: usize = 1280;

/// A ticket as it is sent, and which version of it that is.
#[derive(Debug)]
pub struct Shown {
    /// The ticket.
    pub ticket: Written<Ticket>,
    /// The version: what its `ETag` says.
    pub version: Version,
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<At>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|time| At(Timestamp(time))))
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

/// What a ticket shows of others.
struct Shows<'a> {
    department: Option<&'a Written<Reference>>,
    category: Option<&'a Written<Reference>>,
    product: Option<&'a Written<Reference>>,
    assigned_to: Option<&'a Written<Reference>>,
    agents: Vec<&'a Written<Reference>>,
    labels: Vec<&'a Written<LabelReference>>,
    custom_fields: Vec<FieldValue>,
}

impl<'a> Shows<'a> {
    /// What the ticket in a row shows; nothing if a name is not known.
    fn of(row: &Row<'_>, names: &'a Names) -> rusqlite::Result<Option<Self>> {
        let lead: Option<i64> = row.get(12)?;
        let known = (
            shown(row.get(6)?, |id| names.department(id)),
            shown(row.get(7)?, |id| names.category(id)),
            shown(row.get(8)?, |id| names.product(id)),
            shown(lead, |id| names.agent(id)),
            agents(row, lead, names)?,
            names.labels(ids(text(row, 20)?)),
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
        Ok(Some(Self { department, category, product, assigned_to, agents, labels, custom_fields }))
    }
}

/// Everyone on a ticket, the lead first.
fn agents<'a>(
    row: &Row<'_>,
    lead: Option<i64>,
    names: &'a Names,
) -> rusqlite::Result<Option<Vec<&'a Written<Reference>>>> {
    let others = ids(text(row, 19)?).filter(|id| Some(*id) != lead);
    Ok(lead.into_iter().chain(others).map(|id| names.agent(id)).collect())
}

/// Most tickets have no values.
fn values(row: &Row<'_>, names: &Names) -> rusqlite::Result<Option<Vec<FieldValue>>> {
    let values = match text(row, 21)? {
        "[]" => vec![],
        text => serde_json::from_str(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(21, rusqlite::types::Type::Text, error.into())
        })?,
    };
    Ok(names.values(values))
}

/// Writes a ticket from its row.
fn write(row: &Row<'_>, shows: &Shows<'_>, ticket: &mut Writing<'_, Ticket>) -> Result<()> {
    let customer = written!(within CustomerReference, {
        id: row.get::<_, i64>(9)?,
        name: text(row, 10)?,
        email: text(row, 11)?,
    });
    written!(ticket: Ticket, {
        id: row.get::<_, i64>(0)?,
        reference_id: text(row, 1)?,
        title: text(row, 2)?,
        content: text(row, 3)?,
        status: word(row, 4, Status::from_word)?,
        priority: word(row, 5, Priority::from_word)?,
        department: Perhaps(shows.department),
        category: Perhaps(shows.category),
        product: Perhaps(shows.product),
        customer: Perhaps(Some(&customer)),
        labels: Each(shows.labels.iter().copied()),
        assigned_to: Perhaps(shows.assigned_to),
        agents: Each(shows.agents.iter().copied()),
        custom_fields: shows.custom_fields,
        is_resolved: row.get::<_, bool>(13)?,
        is_locked: row.get::<_, bool>(14)?,
        last_reply_at: Perhaps(time(row, 15)?.as_ref()),
        closed_at: Perhaps(time(row, 16)?.as_ref()),
        created_at: At(Timestamp(row.get(17)?)),
        updated_at: At(Timestamp(row.get(18)?)),
    });
    Ok(())
}

/// Goes through the tickets of a statement that [`tickets`] begins.
fn each(
    mut rows: Rows<'_>,
    tx: &Tx<'_>,
    mut take: impl FnMut(&Row<'_>, &Shows<'_>) -> Result<()>,
) -> Result<()> {
    let mut known: Option<Arc<Names>> = None;
    while let Some(row) = rows.next()? {
        let mut names = match known.take() {
            Some(names) => names,
            None => Names::of(tx, row.get(NAMES)?)?,
        };
        if let Some(shows) = Shows::of(row, &names)? {
            take(row, &shows)?;
        } else {
            names = Names::read(tx, row.get(NAMES)?)?;
            let shows = Shows::of(row, &names)?;
            take(
                row,
                &shows.ok_or_else(|| Error::internal("a ticket refers to something that is not there"))?,
            )?;
        }
        known = Some(names);
    }
    Ok(())
}

/// Whole tickets, in the order of their ids here: one statement, however many tickets.
///
/// # Errors
/// What SQLite says.
pub fn find_all(tx: &Tx<'_>, ids: &[i64]) -> Result<Written<Vec<Ticket>>> {
    let mut statement =
        tx.conn.prepare_cached(tickets!("rarray(?) wanted CROSS JOIN ticket t ON t.id = wanted.value"))?;
    let rows = statement.query([Ids::from(ids.iter().copied())])?;
    let mut tickets = Written::list(ids.len() * ROOM);
    each(rows, tx, |row, shows| tickets.push(|ticket| write(row, shows, ticket)))?;
    Ok(tickets)
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
    let mut found = None;
    each(statement.raw_query(), tx, |row, shows| {
        let ticket = Written::alone(ROOM, |ticket| write(row, shows, ticket))?;
        found = Some(Shown {
            ticket,
            version: Version { ticket: id, own: row.get(22)?, names: row.get(NAMES)? },
        });
        Ok(())
    })?;
    Ok(found)
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
