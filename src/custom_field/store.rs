//! Custom fields in the database.

use rusqlite::{Row, params};

use super::model::{CustomField, FieldType};
use crate::db::{FromRow, Page, Paging, Tx, all, execute, first, one, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

/// Whole custom fields; what follows says which.
macro_rules! custom_fields {
    ($rest:literal) => {
        concat!(
            "SELECT id, label, description, type, is_required, sort_order, status, created_at, updated_at FROM custom_field ",
            $rest
        )
    };
}

impl FromRow for CustomField {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            label: row.get(1)?,
            description: row.get(2)?,
            kind: word(row, 3, FieldType::from_word)?,
            is_required: row.get(4)?,
            sort_order: row.get(5)?,
            status: word(row, 6, PublicationStatus::from_word)?,
            created_at: Timestamp(row.get(7)?),
            updated_at: Timestamp(row.get(8)?),
        })
    }
}

impl Stored for CustomField {
    fn list(tx: &Tx<'_>, paging: Paging) -> Result<Page<Self>> {
        Page::read(paging, one(tx, "SELECT count(*) FROM custom_field", [])?, || {
            let sql = custom_fields!("ORDER BY sort_order, id LIMIT ? OFFSET ?");
            all(tx, sql, [paging.per_page, paging.offset()])
        })
    }

    fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Self>> {
        first(tx, custom_fields!("WHERE id = ?"), [id])
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        one(
            tx,
            "INSERT INTO custom_field (label, description, type, is_required, sort_order, status, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING id",
            params![
                self.label,
                self.description,
                self.kind.as_str(),
                self.is_required,
                self.sort_order,
                self.status.as_str(),
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE custom_field SET label = ?, description = ?, type = ?, is_required = ?, sort_order = ?, status = ?, updated_at = ?
             WHERE id = ?",
            params![
                self.label,
                self.description,
                self.kind.as_str(),
                self.is_required,
                self.sort_order,
                self.status.as_str(),
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }

    fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
        execute(tx, "DELETE FROM custom_field WHERE id = ?", [id])?;
        Ok(())
    }
}
