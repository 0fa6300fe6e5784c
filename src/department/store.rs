//! Departments in the database.

use rusqlite::Row;

use super::model::DepartmentReference;
use crate::db::{FromRow, Tx, all};
use crate::error::Result;

impl FromRow for DepartmentReference {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, description: row.get(2)? })
    }
}

/// The published departments, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_published(tx: &Tx<'_>) -> Result<Vec<DepartmentReference>> {
    all(
        tx,
        "SELECT id, name, description FROM department WHERE status = 'published' ORDER BY sort_order, name_fold, id",
        [],
    )
}
