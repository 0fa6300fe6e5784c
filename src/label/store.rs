//! Labels in the database.

use rusqlite::Row;

use super::model::Label;
use crate::db::{FromRow, Ids, Tx, all};
use crate::error::Result;

impl FromRow for Label {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, color: row.get(2)? })
    }
}

/// The published labels, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_published(tx: &Tx<'_>) -> Result<Vec<Label>> {
    all(
        tx,
        "SELECT id, name, color FROM label WHERE status = 'published' ORDER BY sort_order, name_fold, id",
        [],
    )
}

/// Those of these labels that may be newly set: they exist and are published.
///
/// # Errors
/// What SQLite says.
pub fn filter_published(tx: &Tx<'_>, ids: &[i64]) -> Result<Vec<i64>> {
    all(
        tx,
        "SELECT id FROM label WHERE id IN rarray(?) AND status = 'published'",
        [Ids::from(ids.iter().copied())],
    )
}
