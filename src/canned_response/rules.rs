//! What a canned response is made of.

use super::model::{CannedResponse, CannedResponsePatch, NewCannedResponse};
use super::store;
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{Noun, set, set_or_clear};
use crate::time::Timestamp;

impl Noun for CannedResponse {
    const NAME: &'static str = "canned_response";
    type New = NewCannedResponse;
    type Patch = CannedResponsePatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn draft(new: NewCannedResponse) -> Self {
        Self {
            id: 0,
            title: new.title.0,
            content: new.content.map(String::from).unwrap_or_default(),
            category: new.category.map(String::from),
            shortcut: new.shortcut.map(String::from),
            is_active: new.is_active.unwrap_or(true),
            sort_order: new.sort_order.map_or(0, i64::from),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: CannedResponsePatch) {
        set(&mut self.title, patch.title);
        set(&mut self.content, patch.content);
        set_or_clear(&mut self.category, patch.category);
        set_or_clear(&mut self.shortcut, patch.shortcut);
        set(&mut self.is_active, patch.is_active);
        set(&mut self.sort_order, patch.sort_order);
    }

    fn check(&mut self, tx: &Tx<'_>, wrong: &mut Check) -> Result<()> {
        if let Some(shortcut) = &self.shortcut
            && store::is_shortcut_taken(tx, shortcut, self.id)?
        {
            wrong.add("shortcut", "is taken already");
        }
        Ok(())
    }
}
