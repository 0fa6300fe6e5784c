//! Products in the database.

use rusqlite::{Row, params};

use super::model::Product;
use super::price::Price;
use crate::db::{FromRow, Page, Paging, Tx, all, execute, exists, first, one, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::text::fold;
use crate::time::Timestamp;

/// Whole products; what follows says which.
macro_rules! products {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, envato_id, description, price_cents, status, created_at, updated_at FROM product ",
            $rest
        )
    };
}

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
    fn list(tx: &Tx<'_>, paging: Paging) -> Result<Page<Self>> {
        Page::read(paging, one(tx, "SELECT count(*) FROM product", [])?, || {
            let sql = products!("ORDER BY name_fold, id LIMIT ? OFFSET ?");
            all(tx, sql, [paging.per_page, paging.offset()])
        })
    }

    fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Self>> {
        first(tx, products!("WHERE id = ?"), [id])
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        one(
            tx,
            "INSERT INTO product (name, name_fold, envato_id, description, price_cents, status, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING id",
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

    fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
        execute(tx, "DELETE FROM product WHERE id = ?", [id])?;
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
