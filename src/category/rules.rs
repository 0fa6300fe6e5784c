//! What a category is made of: a tree without circles.

use super::model::{Category, CategoryPatch, NewCategory};
use super::store;
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{Noun, set, set_or_clear};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for Category {
    const NAME: &'static str = "category";
    type New = NewCategory;
    type Patch = CategoryPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewCategory) -> Self {
        Self {
            id: 0,
            name: new.name.0,
            description: new.description.map(String::from),
            parent_id: new.parent_id.map(i64::from),
            status: new.status.unwrap_or(PublicationStatus::Published),
            sort_order: new.sort_order.map_or(0, i64::from),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: CategoryPatch) {
        set(&mut self.name, patch.name);
        set_or_clear(&mut self.description, patch.description);
        set_or_clear(&mut self.parent_id, patch.parent_id);
        set(&mut self.status, patch.status);
        set(&mut self.sort_order, patch.sort_order);
    }

    fn check(&mut self, tx: &Tx<'_>, wrong: &mut Check) -> Result<()> {
        if let Some(parent) = self.parent_id {
            let line = store::list_ancestry(tx, parent)?;
            if line.is_empty() {
                wrong.add("parent_id", format!("there is no category {parent}"));
            } else if line.contains(&self.id) {
                wrong.add("parent_id", "must be neither the category itself nor one below it");
            }
        }
        Ok(())
    }
}
