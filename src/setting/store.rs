//! Settings in the database.

use jiff::tz::TimeZone;
use rusqlite::{Row, params};

use super::Settings;
use crate::db::{FromRow, Tx, execute, exists, one, word};
use crate::error::Result;
use crate::scalar::Priority;

impl FromRow for Settings {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            ticket_prefix: row.get(0)?,
            default_department_id: row.get(1)?,
            default_priority: word(row, 2, Priority::from_word)?,
            auto_close_days: row.get(3)?,
            tickets_per_page: row.get(4)?,
            customer_max_tickets_per_day: row.get(5)?,
            auto_assign: row.get(6)?,
            department_visibility: row.get(7)?,
            time_zone: row.get(8)?,
        })
    }
}

/// The settings.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>) -> Result<Settings> {
    one(
        tx,
        "SELECT ticket_prefix, default_department_id, default_priority, auto_close_days, tickets_per_page,
           customer_max_tickets_per_day, auto_assign, department_visibility, time_zone FROM setting",
        [],
    )
}

/// The time zone that days begin in.
///
/// # Errors
/// What SQLite says.
pub fn zone(tx: &Tx<'_>) -> Result<TimeZone> {
    Ok(crate::time::zone(&one::<String>(tx, "SELECT time_zone FROM setting", [])?))
}

/// Writes the settings, and when they changed.
///
/// # Errors
/// What SQLite says.
pub fn update(tx: &Tx<'_>, settings: &Settings) -> Result<()> {
    execute(
        tx,
        "UPDATE setting SET ticket_prefix = ?, default_department_id = ?, default_priority = ?, auto_close_days = ?,
           tickets_per_page = ?, customer_max_tickets_per_day = ?, auto_assign = ?, department_visibility = ?,
           time_zone = ?, updated_at = ?",
        params![
            settings.ticket_prefix,
            settings.default_department_id,
            settings.default_priority.as_str(),
            settings.auto_close_days,
            settings.tickets_per_page,
            settings.customer_max_tickets_per_day,
            settings.auto_assign,
            settings.department_visibility,
            settings.time_zone,
            tx.now.0
        ],
    )?;
    Ok(())
}

/// Whether there is such a department. Asked here, because departments rank above the settings they are named in.
///
/// # Errors
/// What SQLite says.
pub fn has_department(tx: &Tx<'_>, id: i64) -> Result<bool> {
    exists(tx, "SELECT 1 FROM department WHERE id = ?", [id])
}

/// The text of the next ticket's reference, which nobody else will get. Numbers never repeat, but their texts can: under
/// the prefix `#1` the number 1001 reads as 11001 does under `#`. Such numbers are passed over.
///
/// # Errors
/// What SQLite says.
pub fn next_reference(tx: &Tx<'_>) -> Result<String> {
    loop {
        let reference: String = one(
            tx,
            "UPDATE setting SET next_reference = next_reference + 1 RETURNING ticket_prefix || (next_reference - 1)",
            [],
        )?;
        let taken = exists(
            tx,
            "SELECT 1 FROM ticket WHERE reference_id = ?1 UNION ALL SELECT 1 FROM retired_reference WHERE reference_id = ?1",
            [&reference],
        )?;
        if !taken {
            return Ok(reference);
        }
    }
}

/// Makes a department the default one, or makes it so no longer. Nothing is written when it is as it is to be.
///
/// # Errors
/// What SQLite says.
pub fn set_default_department(tx: &Tx<'_>, id: i64, is_default: bool) -> Result<()> {
    execute(
        tx,
        "UPDATE setting SET default_department_id = CASE WHEN ?2 THEN ?1 END, updated_at = ?3
         WHERE (default_department_id IS ?1) <> ?2",
        params![id, is_default, tx.now.0],
    )?;
    Ok(())
}
