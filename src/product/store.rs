//! Products in the database.

use rusqlite::{Row, params};

use super::model::Product;
use super::price::Price;
use crate::db::{FromRow, Tx, execute, exists, inserted, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;

impl FromRow for Product {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            envato_id: row.get(2)?,
            description: row.get(3)?,
            price: row.get::<_, Option<i64>>(4)?.map(Price),
            status: word(row, 5, PublicationStatus::from_word)?,
            created_at: Timestamp(row.get(6)?),
            updated_at: Timestamp(row.get(7)?),
        })
    }
}

impl Stored for Product {
    const TABLE: &'static str = "product";
    const SELECT: &'static str =
        "SELECT id, name, envato_id, description, price_cents, status, created_at, updated_at FROM product";
    const ORDER: &'static str = "name_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        inserted(
            tx,
            "INSERT INTO product (name, name_fold, envato_id, description, price_cents, status, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                self.name,
                fold(&self.name),
                self.envato_id,
                self.description,
                self.price.map(|price| price.0),
                self.status.as_str(),
                tx.now.0
            ],
        )
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE product SET name = ?, name_fold = ?, envato_id = ?, description = ?, price_cents = ?, status = ?, updated_at = ?
             WHERE id = ?",
            params![
                self.name,
                fold(&self.name),
                self.envato_id,
                self.description,
                self.price.map(|price| price.0),
                self.status.as_str(),
                tx.now.0,
                self.id
            ],
        )?;
        Ok(())
    }
}

/// Whether another product than this one has an id at Envato.
///
/// # Errors
/// What SQLite says.
pub fn is_envato_id_taken(tx: &Tx<'_>, envato_id: &str, id: i64) -> Result<bool> {
    exists(tx, "SELECT 1 FROM product WHERE envato_id = ? AND id <> ?", params![envato_id, id])
}
