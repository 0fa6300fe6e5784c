//! Agents in the database.

use rusqlite::{Row, params};

use super::model::{Agent, Filter, NotificationSettings, Profile};
use crate::db::{FromRow, Ids, Page, Paging, Tx, all, execute, first, inserted, one, search};
use crate::error::Result;
use crate::text::fold;
use crate::time::Timestamp;

impl FromRow for Profile {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let settings: String = row.get(6)?;
        let settings = serde_json::value::RawValue::from_string(settings).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, error.into())
        })?;
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            phone: row.get(3)?,
            locale: row.get(4)?,
            avatar_url: row.get(5)?,
            notification_settings: NotificationSettings(settings),
            is_active: row.get(7)?,
            created_at: Timestamp(row.get(8)?),
        })
    }
}

/// Whole agents that are not deleted; what follows says which.
macro_rules! agents {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.name, a.email, a.phone, a.locale, a.avatar_url, a.is_active,
               (SELECT json_group_array(d.department_id ORDER BY d.department_id)
                FROM agent_department d WHERE d.agent_id = a.id),
               a.created_at, a.updated_at
             FROM agent a WHERE a.deleted_at IS NULL ",
            $rest
        )
    };
}

impl FromRow for Agent {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            phone: row.get(3)?,
            locale: row.get(4)?,
            avatar_url: row.get(5)?,
            is_active: row.get(6)?,
            departments: serde_json::from_str(row.get_ref(7)?.as_str()?).unwrap_or_default(),
            created_at: Timestamp(row.get(8)?),
            updated_at: Timestamp(row.get(9)?),
        })
    }
}

/// The profile of an agent.
///
/// # Errors
/// What SQLite says.
pub fn find_profile(tx: &Tx<'_>, id: i64) -> Result<Option<Profile>> {
    first(
        tx,
        "SELECT id, name, email, phone, locale, avatar_url, notification_settings, is_active, created_at
         FROM agent WHERE id = ? AND deleted_at IS NULL",
        [id],
    )
}

/// Writes what an agent may change about itself.
///
/// # Errors
/// What SQLite says.
pub fn update_profile(tx: &Tx<'_>, profile: &Profile) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE agent SET name = ?, name_fold = ?, phone = ?, locale = ?, notification_settings = ?, updated_at = ?
             WHERE id = ?",
        )?
        .execute(params![
            profile.name,
            fold(&profile.name),
            profile.phone,
            profile.locale,
            profile.notification_settings.as_str(),
            tx.now.0,
            profile.id
        ])?;
    Ok(())
}

/// An agent that is not deleted.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Agent>> {
    first(tx, agents!("AND a.id = ?"), [id])
}

/// The agent with an e-mail address, case ignored.
///
/// # Errors
/// What SQLite says.
pub fn find_by_email(tx: &Tx<'_>, email: &str) -> Result<Option<Agent>> {
    first(tx, agents!("AND a.email_fold = ?"), [fold(email)])
}

/// Every agent that is not deleted, by name.
///
/// # Errors
/// What SQLite says.
pub fn list_all(tx: &Tx<'_>) -> Result<Vec<Agent>> {
    all(tx, agents!("ORDER BY a.name_fold, a.id"), [])
}

/// A page of the agents that are not deleted, by name.
///
/// # Errors
/// What SQLite says.
pub fn list(tx: &Tx<'_>, filter: &Filter, paging: Paging) -> Result<Page<Vec<Agent>>> {
    /// Which agents; a filter that was not given lets everybody through.
    macro_rules! filtered {
        () => {
            "(?1 IS NULL OR a.is_active = ?1)
             AND (?2 IS NULL OR EXISTS (SELECT 1 FROM agent_department f WHERE f.agent_id = a.id AND f.department_id = ?2))"
        };
    }
    let count = concat!("SELECT count(*) FROM agent a WHERE a.deleted_at IS NULL AND ", filtered!());
    let total = one(tx, count, params![filter.is_active, filter.department_id])?;
    Page::read(paging, total, || {
        let sql = concat!(agents!("AND "), filtered!(), " ORDER BY a.name_fold, a.id LIMIT ?3 OFFSET ?4");
        all(tx, sql, params![filter.is_active, filter.department_id, paging.per_page, paging.offset()])
    })
}

/// Writes a new agent, whatever its id says, and returns the id it got.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, agent: &Agent, password_hash: Option<&str>) -> Result<i64> {
    let id = inserted(
        tx,
        "INSERT INTO agent (name, name_fold, email, email_fold, password_hash, phone, locale, avatar_url, is_active,
           created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        params![
            agent.name,
            fold(&agent.name),
            agent.email,
            fold(&agent.email),
            password_hash,
            agent.phone,
            agent.locale,
            agent.avatar_url,
            agent.is_active,
            tx.now.0
        ],
    )?;
    replace_departments(tx, id, &agent.departments)?;
    Ok(id)
}

/// Writes an agent that is there already, and when it changed. Without a new password it keeps the old one.
///
/// # Errors
/// What SQLite says.
pub fn update(tx: &Tx<'_>, agent: &Agent, password_hash: Option<&str>) -> Result<()> {
    execute(
        tx,
        "UPDATE agent SET name = ?, name_fold = ?, email = ?, email_fold = ?, password_hash = ifnull(?, password_hash),
           phone = ?, locale = ?, avatar_url = ?, updated_at = ? WHERE id = ?",
        params![
            agent.name,
            fold(&agent.name),
            agent.email,
            fold(&agent.email),
            password_hash,
            agent.phone,
            agent.locale,
            agent.avatar_url,
            tx.now.0,
            agent.id
        ],
    )?;
    replace_departments(tx, agent.id, &agent.departments)
}

/// Makes an agent work in these departments and no others.
fn replace_departments(tx: &Tx<'_>, id: i64, departments: &[i64]) -> Result<()> {
    let wanted = || Ids::from(departments.iter().copied());
    let gone = "DELETE FROM agent_department WHERE agent_id = ? AND department_id NOT IN rarray(?)";
    execute(tx, gone, params![id, wanted()])?;
    let new =
        "INSERT INTO agent_department (agent_id, department_id) SELECT ?, value FROM rarray(?) WHERE true
        ON CONFLICT DO NOTHING";
    execute(tx, new, params![id, wanted()])?;
    Ok(())
}

/// Those of these departments that are not there.
///
/// # Errors
/// What SQLite says.
pub fn unknown_departments(tx: &Tx<'_>, departments: &[i64]) -> Result<Vec<i64>> {
    all(
        tx,
        "SELECT value FROM rarray(?) WHERE value NOT IN (SELECT id FROM department)",
        [Ids::from(departments.iter().copied())],
    )
}

/// Activates or deactivates an agent.
///
/// # Errors
/// What SQLite says.
pub fn set_active(tx: &Tx<'_>, id: i64, is_active: bool) -> Result<()> {
    execute(
        tx,
        "UPDATE agent SET is_active = ?, updated_at = ? WHERE id = ?",
        params![is_active, tx.now.0, id],
    )?;
    Ok(())
}

/// Makes an agent a tombstone and takes it off everything but what it wrote and liked. What concerns tickets is said
/// here, because tickets rank above agents and an agent's deletion can ask nothing of them.
///
/// # Errors
/// What SQLite says.
pub fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
    execute(tx, "UPDATE ticket SET assigned_to = NULL WHERE assigned_to = ?", [id])?;
    search::leave_tickets(tx, id)?;
    execute(tx, "DELETE FROM ticket_agent WHERE agent_id = ?", [id])?;
    execute(tx, "DELETE FROM notification WHERE agent_id = ?", [id])?;
    execute(tx, "DELETE FROM agent_department WHERE agent_id = ?", [id])?;
    execute(
        tx,
        "UPDATE agent SET deleted_at = ?1, updated_at = ?1, password_hash = NULL WHERE id = ?2",
        [tx.now.0, id],
    )?;
    Ok(())
}

/// The ids of an agent's departments.
///
/// # Errors
/// What SQLite says.
pub fn departments(tx: &Tx<'_>, id: i64) -> Result<Vec<i64>> {
    all(tx, "SELECT department_id FROM agent_department WHERE agent_id = ? ORDER BY department_id", [id])
}
