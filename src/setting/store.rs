//! Settings in the database.

use rusqlite::Row;

use super::Settings;
use crate::db::{FromRow, Tx, one};
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
