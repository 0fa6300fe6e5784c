//! Categories of the knowledge base in the database.

use rusqlite::{Row, params};

use super::model::KnowledgeCategory;
use crate::db::{FromRow, Tx, execute, first, inserted, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;

impl FromRow for KnowledgeCategory {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            icon: row.get(3)?,
            status: word(row, 4, PublicationStatus::from_word)?,
            sort_order: row.get(5)?,
            articles_count: row.get(6)?,
            created_at: Timestamp(row.get(7)?),
            updated_at: Timestamp(row.get(8)?),
        })
    }
}

impl Stored for KnowledgeCategory {
    const TABLE: &'static str = "knowledge_category";
    const SELECT: &'static str = "SELECT id, name, description, icon, status, sort_order,
               (SELECT count(*) FROM knowledge_article a WHERE a.category_id = c.id), created_at, updated_at
             FROM knowledge_category c";
    const ORDER: &'static str = "sort_order, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO knowledge_category (name, name_fold, description, icon, status, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.icon,
                self.status.as_str(),
                self.sort_order,
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE knowledge_category SET name = ?, name_fold = ?, description = ?, icon = ?, status = ?, sort_order = ?,
               updated_at = ?
             WHERE id = ?",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.icon,
                self.status.as_str(),
                self.sort_order,
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }
}

/// The name of a category.
///
/// # Errors
/// What SQLite says.
pub fn find_name(tx: &Tx<'_>, id: i64) -> Result<Option<String>> {
    first(tx, "SELECT name FROM knowledge_category WHERE id = ?", [id])
}
