//! The activity log in the database.

use rusqlite::{Row, ToSql, params};
use serde_json::value::RawValue;

use super::model::{ActivityActor, ActivityLog, ActivitySubject, Filter, Recorded};
use super::{Actor, ActorType, Entry};
use crate::db::{FromRow, Ids, Page, Paging, Tx, all, all_named, one, word};
use crate::error::Result;
use crate::time::Timestamp;

/// Appends an entry.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, actor: &Actor, entry: &Entry<'_>, changes: &str) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO activity (action, description, actor_type, actor_id, actor_name, subject_type, subject_id,
               ticket_id, changes, ip_address, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            entry.action,
            entry.description,
            actor.kind.as_str(),
            actor.id,
            actor.name,
            entry.subject.0,
            entry.subject.1,
            entry.ticket_id,
            changes,
            actor.ip,
            tx.now.0
        ])?;
    Ok(())
}

/// Whole entries; what follows says which.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT id, action, description, actor_type, actor_id, actor_name, subject_type, subject_id, ticket_id, changes,
               ip_address, created_at
             FROM activity ",
            $rest
        )
    };
}

impl FromRow for ActivityLog {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let changes = RawValue::from_string(row.get(9)?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, error.into())
        })?;
        Ok(Self {
            id: row.get(0)?,
            action: row.get(1)?,
            description: row.get(2)?,
            actor: ActivityActor {
                kind: word(row, 3, ActorType::from_word)?,
                id: row.get(4)?,
                name: row.get(5)?,
            },
            subject: ActivitySubject { kind: row.get(6)?, id: row.get(7)? },
            ticket_id: row.get(8)?,
            changes: Recorded(changes),
            ip_address: row.get(10)?,
            created_at: Timestamp(row.get(11)?),
        })
    }
}

/// A page of all entries, newest first. None is ever deleted and their ids leave no gaps (a transaction that fails gives
/// its ids back), so the last id is how many there are, and where a page begins needs no counting either.
///
/// # Errors
/// What SQLite says.
pub fn list_all(tx: &Tx<'_>, paging: Paging) -> Result<Page<Vec<ActivityLog>>> {
    let total: i64 = one(tx, "SELECT ifnull(max(id), 0) FROM activity", [])?;
    Page::read(paging, total, || {
        let first = total - paging.offset();
        all(tx, entries!("WHERE id <= ? ORDER BY id DESC LIMIT ?"), [first, paging.per_page])
    })
}

/// A page of the entries that a filter shows, newest first; its times come as the first moment that counts and the first
/// that no longer does.
///
/// # Errors
/// What SQLite says.
pub fn list(
    tx: &Tx<'_>,
    filter: &Filter,
    (from, before): (Option<Timestamp>, Option<Timestamp>),
    paging: Paging,
) -> Result<Page<Vec<ActivityLog>>> {
    let (from, before) = (from.map(|at| at.0), before.map(|at| at.0));
    let given = [
        ("ticket_id = :ticket", filter.ticket_id.is_some()),
        ("actor_type = 'agent' AND actor_id = :agent", filter.agent_id.is_some()),
        ("created_at >= :from", from.is_some()),
        ("created_at < :before", before.is_some()),
    ];
    let conditions: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(sql, _)| *sql).collect();
    // Times alone are looked up in their index, even where walking back from the newest entry would need no sorting: it
    // could take very long to get to an old day.
    let index =
        if filter.ticket_id.or(filter.agent_id).is_none() { " INDEXED BY activity_created" } else { "" };
    let source = format!("FROM activity{index} WHERE {}", conditions.join(" AND "));
    let (limit, offset) = (paging.per_page, paging.offset());
    let named: [(&str, &dyn ToSql); 6] = [
        (":ticket", &filter.ticket_id),
        (":agent", &filter.agent_id),
        (":from", &from),
        (":before", &before),
        (":limit", &limit),
        (":offset", &offset),
    ];
    let total = all_named::<i64>(tx, &format!("SELECT count(*) {source}"), &named)?.into_iter().sum();
    Page::read(paging, total, || {
        let sql = format!("SELECT id {source} ORDER BY id DESC LIMIT :limit OFFSET :offset");
        let ids: Vec<i64> = all_named(tx, &sql, &named)?;
        all(tx, entries!("WHERE id IN rarray(?) ORDER BY id DESC"), [Ids::from(ids)])
    })
}

/// The name of the desk's time zone. Asked here, because settings rank above the log that records their changes.
///
/// # Errors
/// What SQLite says.
pub fn time_zone(tx: &Tx<'_>) -> Result<String> {
    one(tx, "SELECT time_zone FROM setting", [])
}
