//! The names that tickets show, kept in memory: departments, categories, products, labels, agents and custom fields are few,
//! and every row of a list refers to several. Most are kept as they are sent.

use std::sync::Arc;

use foldhash::HashMap;
use rusqlite::Row;

use crate::custom_field::model::FieldType;
use crate::db::{FromRow, Tx, all, word};
use crate::error::Result;
use crate::label::model::LabelReference;
use crate::reference::Reference;
use crate::ticket::model::FieldValue;
use crate::written::Written;

/// The names as they are while `names` of the table `epoch` stands where it stands. New things move nothing, since no ticket can
/// show them yet: who meets one that is not known reads the names again.
#[derive(Debug)]
pub struct Names {
    departments: References,
    categories: References,
    products: References,
    agents: References,
    labels: HashMap<i64, Placed<Written<LabelReference>>>,
    fields: HashMap<i64, Placed<Field>>,
}

type References = HashMap<i64, Written<Reference>>;

/// Something with its place in the order in which tickets show it.
#[derive(Debug)]
struct Placed<T>(usize, T);

/// A custom field as its values show it.
#[derive(Debug)]
struct Field {
    label: String,
    kind: FieldType,
}

/// One of the names' rows: the id, and the thing.
struct Known<T>(i64, T);

impl FromRow for Known<Reference> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = row.get(0)?;
        Ok(Self(id, Reference { id, name: row.get(1)? }))
    }
}

impl FromRow for Known<LabelReference> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = row.get(0)?;
        Ok(Self(id, LabelReference { id, name: row.get(1)?, color: row.get(2)? }))
    }
}

impl FromRow for Known<Field> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let kind = word(row, 2, FieldType::from_word)?;
        Ok(Self(row.get(0)?, Field { label: row.get(1)?, kind }))
    }
}

impl Names {
    /// The names that hold for an epoch: those that are kept, or else as they are in the database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(tx: &Tx<'_>, epoch: i64) -> Result<Arc<Self>> {
        match tx.kept.find(epoch) {
            Some(names) => Ok(names),
            None => Self::read(tx, epoch),
        }
    }

    /// The names as they are in the database, which are kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn read(tx: &Tx<'_>, epoch: i64) -> Result<Arc<Self>> {
        let names = Arc::new(Self {
            departments: references(tx, "SELECT id, name FROM department")?,
            categories: references(tx, "SELECT id, name FROM category")?,
            products: references(tx, "SELECT id, name FROM product")?,
            agents: references(tx, "SELECT id, name FROM agent")?,
            labels: labels(tx)?,
            fields: placed(tx, "SELECT id, label, type FROM custom_field ORDER BY sort_order, id")?,
        });
        tx.kept.keep(tx, epoch, &names)?;
        Ok(names)
    }

    /// A department.
    pub fn department(&self, id: i64) -> Option<&Written<Reference>> {
        self.departments.get(&id)
    }

    /// A category.
    pub fn category(&self, id: i64) -> Option<&Written<Reference>> {
        self.categories.get(&id)
    }

    /// A product.
    pub fn product(&self, id: i64) -> Option<&Written<Reference>> {
        self.products.get(&id)
    }

    /// An agent.
    pub fn agent(&self, id: i64) -> Option<&Written<Reference>> {
        self.agents.get(&id)
    }

    /// Labels, in the order in which a ticket shows them.
    pub fn labels(&self, ids: impl Iterator<Item = i64>) -> Option<Vec<&Written<LabelReference>>> {
        let mut found = ids.map(|id| self.labels.get(&id)).collect::<Option<Vec<_>>>()?;
        found.sort_unstable_by_key(|label| label.0);
        Some(found.into_iter().map(|label| &label.1).collect())
    }

    /// Values of custom fields, in the order in which a ticket shows them.
    pub fn values(&self, values: Vec<(i64, String)>) -> Option<Vec<FieldValue>> {
        let mut found = vec![];
        for (id, value) in values {
            let Placed(place, Field { label, kind }) = self.fields.get(&id)?;
            found.push((place, FieldValue { id, label: label.clone(), kind: *kind, value }));
        }
        found.sort_unstable_by_key(|(place, _)| *place);
        Some(found.into_iter().map(|(_, value)| value).collect())
    }
}

fn references(tx: &Tx<'_>, sql: &str) -> Result<References> {
    let rows: Vec<Known<Reference>> = all(tx, sql, [])?;
    rows.into_iter().map(|Known(id, thing)| Ok((id, Written::of(&thing)?))).collect()
}

fn labels(tx: &Tx<'_>) -> Result<HashMap<i64, Placed<Written<LabelReference>>>> {
    let found: HashMap<_, Placed<LabelReference>> =
        placed(tx, "SELECT id, name, color FROM label ORDER BY sort_order, name_fold, id")?;
    found.into_iter().map(|(id, label)| Ok((id, Placed(label.0, Written::of(&label.1)?)))).collect()
}

fn placed<T>(tx: &Tx<'_>, sql: &str) -> Result<HashMap<i64, Placed<T>>>
where
    Known<T>: FromRow,
{
    let rows: Vec<Known<T>> = all(tx, sql, [])?;
    Ok(rows.into_iter().enumerate().map(|(place, Known(id, thing))| (id, Placed(place, thing))).collect())
}
