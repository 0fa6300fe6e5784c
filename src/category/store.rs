//! Categories in the database.

use rusqlite::{Row, params};

use super::model::Category;
use crate::db::{FromRow, Tx, all, execute, inserted, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;

impl FromRow for Category {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            parent_id: row.get(3)?,
            status: word(row, 4, PublicationStatus::from_word)?,
            sort_order: row.get(5)?,
            created_at: Timestamp(row.get(6)?),
            updated_at: Timestamp(row.get(7)?),
        })
    }
}

impl Stored for Category {
    const TABLE: &'static str = "category";
    const SELECT: &'static str =
        "SELECT id, name, description, parent_id, status, sort_order, created_at, updated_at FROM category";
    const ORDER: &'static str = "sort_order, name_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO category (name, name_fold, description, parent_id, status, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.parent_id,
                self.status.as_str(),
                self.sort_order,
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE category SET name = ?, name_fold = ?, description = ?, parent_id = ?, status = ?, sort_order = ?, updated_at = ?
             WHERE id = ?",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.parent_id,
                self.status.as_str(),
                self.sort_order,
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }
}

/// The ids of a category and all those it is below; none if there is no such category.
///
/// # Errors
/// What SQLite says.
pub fn list_ancestry(tx: &Tx<'_>, id: i64) -> Result<Vec<i64>> {
    all(
        tx,
        "WITH RECURSIVE line (id, parent_id) AS (
           SELECT id, parent_id FROM category WHERE id = ?
           UNION SELECT c.id, c.parent_id FROM line JOIN category c ON c.id = line.parent_id)
         SELECT id FROM line",
        [id],
    )
}
