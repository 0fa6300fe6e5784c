//! Canned responses in the database.

use rusqlite::{Row, params};

use super::model::{CannedResponse, CannedResponseItem};
use crate::db::{FromRow, Tx, WriteRow, all_written, execute, exists, inserted, text, text_or_null};
use crate::error::Result;
use crate::noun::Stored;
use crate::text::fold;
use crate::time::Timestamp;
use crate::written;
use crate::written::{Perhaps, Writing, Written};

impl FromRow for CannedResponse {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            content: row.get(2)?,
            category: row.get(3)?,
            shortcut: row.get(4)?,
            is_active: row.get(5)?,
            sort_order: row.get(6)?,
            created_at: Timestamp(row.get(7)?),
            updated_at: Timestamp(row.get(8)?),
        })
    }
}

impl Stored for CannedResponse {
    const TABLE: &'static str = "canned_response";
    const SELECT: &'static str = "SELECT id, title, content, category, shortcut, is_active, sort_order, created_at, updated_at FROM canned_response";
    const ORDER: &'static str = "sort_order, title_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO canned_response (title, title_fold, content, category, shortcut, is_active, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            params![
                self.title,
                fold(&self.title),
                self.content,
                self.category,
                self.shortcut,
                self.is_active,
                self.sort_order,
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE canned_response SET title = ?, title_fold = ?, content = ?, category = ?, shortcut = ?, is_active = ?,
               sort_order = ?, updated_at = ?
             WHERE id = ?",
            params![
                self.title,
                fold(&self.title),
                self.content,
                self.category,
                self.shortcut,
                self.is_active,
                self.sort_order,
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }
}

/// Whether another canned response than this one has a shortcut.
///
/// # Errors
/// What SQLite says.
pub fn is_shortcut_taken(tx: &Tx<'_>, shortcut: &str, id: i64) -> Result<bool> {
    exists(tx, "SELECT 1 FROM canned_response WHERE shortcut = ? AND id <> ?", params![shortcut, id])
}

impl WriteRow for CannedResponseItem {
    const ROOM: usize = 600;

    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()> {
        written!(thing: CannedResponseItem, {
            id: row.get::<_, i64>(0)?,
            title: text(row, 1)?,
            content: text(row, 2)?,
            category: Perhaps(text_or_null(row, 3)?.as_ref()),
            shortcut: Perhaps(text_or_null(row, 4)?.as_ref()),
            is_active: row.get::<_, bool>(5)?,
            sort_order: row.get::<_, i64>(6)?,
        });
        Ok(())
    }
}

/// The active canned responses, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_active(tx: &Tx<'_>) -> Result<Written<Vec<CannedResponseItem>>> {
    all_written(
        tx,
        "SELECT id, title, content, category, shortcut, is_active, sort_order FROM canned_response
         WHERE is_active = 1 ORDER BY sort_order, title_fold, id",
        [],
    )
}
