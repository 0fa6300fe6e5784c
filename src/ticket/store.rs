//! Tickets in the database.

use std::collections::HashMap;

use rusqlite::{Row, ToSql, params};

use super::model::{
    CustomerReference, Dashboard, FieldValue, Filter, Priority, State, Status, Ticket, TicketSort,
};
use super::{Version, Visibility};
use crate::custom_field::model::FieldType;
use crate::db::search::Query;
use crate::db::{FromRow, Ids, Named, Page, Paging, Tx, all, all_named, word};
use crate::error::{Error, Result};
use crate::label::model::LabelReference;
use crate::reference::Reference;
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
            lead_id: row.get(5)?,
            is_resolved: row.get(6)?,
            is_locked: row.get(7)?,
            was_answered: row.get(8)?,
            created_at: Timestamp(row.get(9)?),
            version: Version { ticket: row.get(0)?, own: row.get(10)?, names: row.get(11)? },
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
        "SELECT t.id, t.reference_id, t.status, t.priority, t.department_id, t.assigned_to, t.is_resolved, t.is_locked,
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

/// The conditions of a filter as SQL, and what it names.
struct Conditions<'a> {
    sql: String,
    counters: String,
    values: Vec<(String, Box<dyn ToSql + 'a>)>,
    searches: bool,
}

impl<'a> Conditions<'a> {
    fn of(visibility: &'a Visibility, filter: &'a Filter) -> Self {
        let departments = Ids::from(visibility.departments().iter().copied());
        let mut conditions = Self {
            sql: String::new(),
            counters: String::new(),
            values: vec![
                (":me".into(), Box::new(visibility.agent_id())),
                (":departments".into(), Box::new(departments)),
            ],
            searches: filter.words.is_some(),
        };
        for (n, id) in visibility.departments().iter().enumerate() {
            conditions.values.push((format!(":department{n}"), Box::new(*id)));
        }
        conditions.equals("status", filter.status.map(Status::as_str));
        conditions.equals("priority", filter.priority.map(Priority::as_str));
        conditions.equals("department_id", filter.department_id);
        if let Some(words) = &filter.words {
            conditions.matches(&Query::new(words.clone()));
        }
        conditions
    }

    fn equals(&mut self, column: &str, value: Option<impl ToSql + 'a>) {
        if let Some(value) = value {
            let condition = format!(" AND {column} = :{column}");
            self.sql.push_str(&condition);
            self.counters.push_str(&condition);
            self.values.push((format!(":{column}"), Box::new(value)));
        }
    }

    fn matches(&mut self, query: &Query) {
        let indexes = [("ticket_search", query.long("")), ("ticket_bigram", query.pairs(""))];
        let found: Vec<String> = indexes
            .into_iter()
            .filter_map(|(table, expression)| {
                self.values.push((format!(":{table}"), Box::new(expression?)));
                Some(format!("SELECT rowid FROM {table} WHERE {table} MATCH :{table}"))
            })
            .collect();
        if !found.is_empty() {
            self.sql.push_str(&format!(" AND {{id}} IN ({})", found.join(" INTERSECT ")));
        }
        for (n, text) in query.single().iter().enumerate() {
            self.values.push((format!(":single{n}"), Box::new(text.clone())));
            self.sql.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM ticket_search s WHERE s.rowid = {{id}} AND instr(s.body, :single{n}))"
            ));
        }
    }

    fn named(&self) -> Vec<(&str, &dyn ToSql)> {
        self.values.iter().map(|(name, value)| (name.as_str(), &**value)).collect()
    }
}

/// A page of the tickets a caller sees.
///
/// # Errors
/// What SQLite says.
pub fn list(tx: &Tx<'_>, visibility: &Visibility, filter: &Filter, paging: Paging) -> Result<Page<Ticket>> {
    let conditions = Conditions::of(visibility, filter);
    let total = count(tx, visibility, &conditions)?;
    Page::read(paging, total, || {
        let arms = visibility.arms().into_iter().map(|arm| {
            let rows = conditions.sql.replace("{id}", arm.id);
            format!(
                "SELECT {} AS id, created_at, updated_at, last_reply_at, priority FROM {} WHERE {}{rows}",
                arm.id, arm.table, arm.rows
            )
        });
        let sql = format!(
            "SELECT id FROM ({}) ORDER BY {} LIMIT :limit OFFSET :offset",
            arms.collect::<Vec<_>>().join(" UNION ALL "),
            order(filter.sort.unwrap_or(TicketSort::CreatedDown))
        );
        let (limit, offset) = (paging.per_page, paging.offset());
        let mut named = conditions.named();
        named.extend([(":limit", &limit as &dyn ToSql), (":offset", &offset)]);
        let ids: Vec<i64> = all_named(tx, &sql, &named)?;
        find_all(tx, &ids)
    })
}

/// Ties are broken newest id first, whichever way the list goes.
fn order(sort: TicketSort) -> &'static str {
    match sort {
        TicketSort::Created => "created_at, id DESC",
        TicketSort::CreatedDown => "created_at DESC, id DESC",
        TicketSort::Updated => "updated_at, id DESC",
        TicketSort::UpdatedDown => "updated_at DESC, id DESC",
        // SQLite sorts NULL before everything: oldest, as it should be.
        TicketSort::LastReply => "last_reply_at, id DESC",
        TicketSort::LastReplyDown => "last_reply_at DESC, id DESC",
        TicketSort::Priority => {
            "CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END, id DESC"
        }
        TicketSort::PriorityDown => {
            "CASE priority WHEN 'low' THEN 4 WHEN 'medium' THEN 3 WHEN 'high' THEN 2 ELSE 1 END, id DESC"
        }
    }
}

/// How many tickets: from the counters, unless words have to be looked for.
fn count(tx: &Tx<'_>, visibility: &Visibility, conditions: &Conditions<'_>) -> Result<i64> {
    let arms = visibility.arms().into_iter().map(|arm| {
        if conditions.searches {
            let rows = conditions.sql.replace("{id}", arm.id);
            format!("SELECT count(*) AS n FROM {} WHERE {}{rows}", arm.table, arm.rows)
        } else {
            format!("SELECT sum(n) AS n FROM ticket_count WHERE {}{}", arm.counters, conditions.counters)
        }
    });
    let sql = format!("SELECT ifnull(sum(n), 0) FROM ({})", arms.collect::<Vec<_>>().join(" UNION ALL "));
    let counts: Vec<i64> = all_named(tx, &sql, &conditions.named())?;
    Ok(counts.first().copied().unwrap_or(0))
}

impl FromRow for Dashboard {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            open_tickets: row.get(0)?,
            in_progress_tickets: row.get(1)?,
            needs_response: row.get(2)?,
            closed_today: row.get(3)?,
        })
    }
}

/// How the caller's desk looks: three counts from the counters, and what was closed since `midnight`.
///
/// # Errors
/// What SQLite says.
pub fn dashboard(tx: &Tx<'_>, visibility: &Visibility, midnight: Timestamp) -> Result<Dashboard> {
    let none = Filter::default();
    let conditions = Conditions::of(visibility, &none);
    let arms = visibility.arms();
    let counters: Vec<_> = arms
        .iter()
        .map(|arm| format!("SELECT status, awaits_reply, n FROM ticket_count WHERE {}", arm.counters))
        .collect();
    let closed: Vec<_> = arms
        .iter()
        .map(|arm| {
            format!("SELECT count(*) AS n FROM {} WHERE {} AND closed_at >= :midnight", arm.table, arm.rows)
        })
        .collect();
    let sql = format!(
        "SELECT ifnull(sum(n) FILTER (WHERE status = 'open'), 0), ifnull(sum(n) FILTER (WHERE status = 'in_progress'), 0),
           ifnull(sum(n) FILTER (WHERE awaits_reply AND status <> 'closed'), 0),
           (SELECT sum(n) FROM ({})) FROM ({})",
        closed.join(" UNION ALL "),
        counters.join(" UNION ALL ")
    );
    let mut named = conditions.named();
    named.push((":midnight", &midnight.0));
    let found: Vec<Dashboard> = all_named(tx, &sql, &named as Named<'_>)?;
    found.into_iter().next().ok_or_else(|| Error::internal("a statement that always answers had no row"))
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
    tx.conn
        .prepare_cached("DELETE FROM ticket_label WHERE ticket_id = ? AND label_id NOT IN rarray(?)")?
        .execute(params![id, wanted()])?;
    tx.conn
        .prepare_cached(
            "INSERT INTO ticket_label (ticket_id, label_id) SELECT ?, value FROM rarray(?) WHERE true ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, wanted()])?;
    Ok(())
}

/// Writes status and priority; moves `version` and `updated_at`. Entering `closed` sets `closed_at`, leaving it clears it.
///
/// # Errors
/// What SQLite says.
pub fn update(tx: &Tx<'_>, id: i64, status: Status, priority: Priority, is_resolved: bool) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE ticket SET status = ?2, priority = ?3, is_resolved = ?4,
               closed_at = CASE WHEN ?2 = 'closed' THEN ifnull(closed_at, ?5) END,
               updated_at = ?5, version = version + 1
             WHERE id = ?1",
        )?
        .execute(params![id, status.as_str(), priority.as_str(), is_resolved, tx.now.0])?;
    Ok(())
}

/// Notes that a message was written: `updated_at` and the version move with any, `last_reply_at` with a public one, and who
/// had the last word with it.
///
/// # Errors
/// What SQLite says.
pub fn touch(tx: &Tx<'_>, id: i64, is_internal: bool, by_customer: bool) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE ticket SET updated_at = ?2, version = version + 1,
               last_reply_at = CASE WHEN ?3 THEN last_reply_at ELSE ?2 END,
               awaits_reply = CASE WHEN ?3 THEN awaits_reply ELSE ?4 END
             WHERE id = ?1",
        )?
        .execute(params![id, tx.now.0, is_internal, by_customer])?;
    Ok(())
}

/// Records a fact for the reports.
///
/// # Errors
/// What SQLite says.
pub fn insert_event(tx: &Tx<'_>, ticket: &State, kind: &str) -> Result<()> {
    let seconds = (tx.now.0 - ticket.created_at.0).max(0) / crate::time::SECOND;
    tx.conn
        .prepare_cached(
            "INSERT INTO ticket_event (ticket_id, kind, at, agent_id, department_id, seconds) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![ticket.id, kind, tx.now.0, ticket.lead_id, ticket.department_id, seconds])?;
    Ok(())
}
