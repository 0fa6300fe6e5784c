//! Canned responses in the database.

use rusqlite::Row;

use super::model::CannedResponseItem;
use crate::db::{FromRow, Tx, all};
use crate::error::Result;

impl FromRow for CannedResponseItem {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            content: row.get(2)?,
            category: row.get(3)?,
            shortcut: row.get(4)?,
            is_active: row.get(5)?,
            sort_order: row.get(6)?,
        })
    }
}

/// The active canned responses, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_active(tx: &Tx<'_>) -> Result<Vec<CannedResponseItem>> {
    all(
        tx,
        "SELECT id, title, content, category, shortcut, is_active, sort_order FROM canned_response
         WHERE is_active = 1 ORDER BY sort_order, title_fold, id",
        [],
    )
}
