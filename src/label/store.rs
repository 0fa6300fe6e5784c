//! Labels in the database.

use rusqlite::{Row, params};

use super::model::{Label, LabelReference};
use crate::db::{FromRow, Ids, Tx, WriteRow, all, all_written, execute, inserted, text, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;
use crate::written;
use crate::written::{Writing, Written};

impl FromRow for Label {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            color: row.get(2)?,
            status: word(row, 3, PublicationStatus::from_word)?,
            sort_order: row.get(4)?,
            created_at: Timestamp(row.get(5)?),
            updated_at: Timestamp(row.get(6)?),
        })
    }
}

impl Stored for Label {
    const TABLE: &'static str = "label";
    const SELECT: &'static str =
        "SELECT id, name, color, status, sort_order, created_at, updated_at FROM label";
    const ORDER: &'static str = "sort_order, name_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO label (name, name_fold, color, status, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            params![self.name, fold(&self.name), self.color, self.status.as_str(), self.sort_order, tx.now.0],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE label SET name = ?, name_fold = ?, color = ?, status = ?, sort_order = ?, updated_at = ? WHERE id = ?",
            params![
                self.name,
                fold(&self.name),
                self.color,
                self.status.as_str(),
                self.sort_order,
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }
}

impl WriteRow for LabelReference {
    const ROOM: usize = 80;

    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()> {
        written!(thing: LabelReference, { id: row.get::<_, i64>(0)?, name: text(row, 1)?, color: text(row, 2)? });
        Ok(())
    }
}

/// The published labels, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_published(tx: &Tx<'_>) -> Result<Written<Vec<LabelReference>>> {
    all_written(
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
