//! Departments in the database.

use rusqlite::{Row, params};

use super::model::{Department, DepartmentReference};
use crate::db::{FromRow, Tx, WriteRow, all_written, execute, inserted, text, text_or_null, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::scalar::PublicationStatus;
use crate::setting;
use crate::text::fold;
use crate::time::Timestamp;
use crate::written;
use crate::written::{Perhaps, Writing, Written};

impl FromRow for Department {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            email: row.get(3)?,
            is_default: row.get(4)?,
            status: word(row, 5, PublicationStatus::from_word)?,
            sort_order: row.get(6)?,
            created_at: Timestamp(row.get(7)?),
            updated_at: Timestamp(row.get(8)?),
        })
    }
}

/// The default department is a setting, so it is written there.
impl Stored for Department {
    const TABLE: &'static str = "department";
    const SELECT: &'static str =
        "SELECT id, name, description, email, id IS (SELECT default_department_id FROM setting), status, sort_order,
               created_at, updated_at
             FROM department";
    const ORDER: &'static str = "sort_order, name_fold, id";

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        let id = inserted(
            tx,
            "INSERT INTO department (name, name_fold, description, email, status, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.email,
                self.status.as_str(),
                self.sort_order,
                tx.now.0
            ],
        )?;
        setting::store::set_default_department(tx, id, self.is_default)?;
        Ok(id)
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        execute(
            tx,
            "UPDATE department SET name = ?, name_fold = ?, description = ?, email = ?, status = ?, sort_order = ?, updated_at = ?
             WHERE id = ?",
            params![
                self.name,
                fold(&self.name),
                self.description,
                self.email,
                self.status.as_str(),
                self.sort_order,
                tx.now.0,
                self.id
            ],
        )?;
        setting::store::set_default_department(tx, self.id, self.is_default)
    }
}

impl WriteRow for DepartmentReference {
    const ROOM: usize = 200;

    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()> {
        written!(thing: DepartmentReference, {
            id: row.get::<_, i64>(0)?,
            name: text(row, 1)?,
            description: Perhaps(text_or_null(row, 2)?.as_ref()),
        });
        Ok(())
    }
}

/// The published departments, in their order.
///
/// # Errors
/// What SQLite says.
pub fn list_published(tx: &Tx<'_>) -> Result<Written<Vec<DepartmentReference>>> {
    all_written(
        tx,
        "SELECT id, name, description FROM department WHERE status = 'published' ORDER BY sort_order, name_fold, id",
        [],
    )
}
