//! Labels in the database.

use rusqlite::{Row, params};

use super::model::{Label, LabelReference};
use crate::db::{FromRow, Ids, Page, Paging, Tx, all, execute, first, one, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;

/// Whole labels; what follows says which.
macro_rules! labels {
    ($rest:literal) => {
        concat!("SELECT id, name, color, status, sort_order, created_at, updated_at FROM label ", $rest)
    };
}

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
    fn list(tx: &Tx<'_>, paging: Paging) -> Result<Page<Self>> {
        Page::read(paging, one(tx, "SELECT count(*) FROM label", [])?, || {
            let sql = labels!("ORDER BY sort_order, name_fold, id LIMIT ? OFFSET ?");
            all(tx, sql, [paging.per_page, paging.offset()])
        })
    }

    fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Self>> {
        first(tx, labels!("WHERE id = ?"), [id])
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        one(
            tx,
            "INSERT INTO label (name, name_fold, color, status, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
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

    fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
        execute(tx, "DELETE FROM label WHERE id = ?", [id])?;
        Ok(())
    }
}

impl FromRow for LabelReference {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, color: row.get(2)? })
    }
}

/// The published labels, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_published(tx: &Tx<'_>) -> Result<Vec<LabelReference>> {
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
