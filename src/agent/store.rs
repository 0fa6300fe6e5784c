//! Agents in the database.

use rusqlite::{Row, params};

use super::model::{Listed, NewAgent, NotificationSettings, Profile};
use crate::db::{FromRow, Tx, all, first, one};
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

impl FromRow for Listed {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, is_active: row.get(3)? })
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
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Listed>> {
    first(tx, "SELECT id, name, email, is_active FROM agent WHERE id = ? AND deleted_at IS NULL", [id])
}

/// The agent with an e-mail address, case ignored.
///
/// # Errors
/// What SQLite says.
pub fn find_by_email(tx: &Tx<'_>, email: &str) -> Result<Option<Listed>> {
    first(
        tx,
        "SELECT id, name, email, is_active FROM agent WHERE email_fold = ? AND deleted_at IS NULL",
        [fold(email)],
    )
}

/// Every agent that is not deleted, by name.
///
/// # Errors
/// What SQLite says.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Listed>> {
    all(
        tx,
        "SELECT id, name, email, is_active FROM agent WHERE deleted_at IS NULL ORDER BY name_fold, id",
        [],
    )
}

/// Creates an agent and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, new: &NewAgent) -> Result<i64> {
    one(
        tx,
        "INSERT INTO agent (name, name_fold, email, email_fold, password_hash, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
        params![new.name, fold(&new.name), new.email, fold(&new.email), new.password_hash, tx.now.0],
    )
}

/// Activates or deactivates an agent.
///
/// # Errors
/// What SQLite says.
pub fn set_active(tx: &Tx<'_>, id: i64, is_active: bool) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE agent SET is_active = ?, updated_at = ? WHERE id = ?")?
        .execute(params![is_active, tx.now.0, id])?;
    Ok(())
}

/// The ids of an agent's departments.
///
/// # Errors
/// What SQLite says.
pub fn departments(tx: &Tx<'_>, id: i64) -> Result<Vec<i64>> {
    all(tx, "SELECT department_id FROM agent_department WHERE agent_id = ? ORDER BY department_id", [id])
}
