//! Custom fields in the database.

use rusqlite::{Row, params};

use super::model::{CustomField, FieldType};
use crate::db::{FromRow, Tx, execute, inserted, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

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
    const TABLE: &'static str = "custom_field";
    const SELECT: &'static str = "SELECT id, label, description, type, is_required, sort_order, status, created_at, updated_at FROM custom_field";
    const ORDER: &'static str = "sort_order, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO custom_field (label, description, type, is_required, sort_order, status, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
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
}
