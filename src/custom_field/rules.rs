//! What a custom field is made of.

use super::model::{CustomField, CustomFieldPatch, NewCustomField};
use crate::noun::{Noun, set, set_or_clear};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for CustomField {
    const NAME: &'static str = "custom_field";
    type New = NewCustomField;
    type Patch = CustomFieldPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.label
    }

    fn draft(new: NewCustomField) -> Self {
        Self {
            id: 0,
            label: new.label.0,
            description: new.description.map(String::from),
            kind: new.kind,
            is_required: new.is_required.unwrap_or(false),
            sort_order: new.sort_order.map_or(0, i64::from),
            status: new.status.unwrap_or(PublicationStatus::Published),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: CustomFieldPatch) {
        set(&mut self.label, patch.label);
        set_or_clear(&mut self.description, patch.description);
        set(&mut self.kind, patch.kind);
        set(&mut self.is_required, patch.is_required);
        set(&mut self.sort_order, patch.sort_order);
        set(&mut self.status, patch.status);
    }
}
