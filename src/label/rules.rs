//! What a label is made of.

use super::model::{Label, LabelPatch, NewLabel};
use crate::noun::{Noun, set};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for Label {
    const NAME: &'static str = "label";
    type New = NewLabel;
    type Patch = LabelPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewLabel) -> Self {
        Self {
            id: 0,
            name: new.name.0,
            color: new.color.0,
            status: new.status.unwrap_or(PublicationStatus::Published),
            sort_order: new.sort_order.map_or(0, |order| order.0),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: LabelPatch) {
        set(&mut self.name, patch.name);
        set(&mut self.color, patch.color);
        set(&mut self.status, patch.status);
        set(&mut self.sort_order, patch.sort_order);
    }
}
