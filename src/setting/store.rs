//! Settings in the database.

use rusqlite::{Row, params};

use super::Settings;
use crate::db::{FromRow, Tx, execute, one};
use crate::error::Result;

impl FromRow for Settings {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { tickets_per_page: row.get(0)?, time_zone: row.get(1)? })
    }
}

/// The settings.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>) -> Result<Settings> {
    one(tx, "SELECT tickets_per_page, time_zone FROM setting", [])
}

/// The text and number of the next ticket's reference, which nobody else will get.
///
/// # Errors
/// What SQLite says.
pub fn next_reference(tx: &Tx<'_>) -> Result<String> {
    one(
        tx,
        "UPDATE setting SET next_reference = next_reference + 1 RETURNING ticket_prefix || (next_reference - 1)",
        [],
    )
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
