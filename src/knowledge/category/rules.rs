//! What a category of the knowledge base is made of.

use super::model::{KnowledgeCategory, KnowledgeCategoryPatch, NewKnowledgeCategory};
use crate::noun::{Noun, set, set_or_clear};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for KnowledgeCategory {
    const NAME: &'static str = "knowledge_category";
    type New = NewKnowledgeCategory;
    type Patch = KnowledgeCategoryPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewKnowledgeCategory) -> Self {
        Self {
            id: 0,
            name: new.name.0,
            description: new.description.map(String::from),
            icon: new.icon.map(String::from),
            status: new.status.unwrap_or(PublicationStatus::Published),
            sort_order: new.sort_order.map_or(0, i64::from),
            articles_count: 0,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: KnowledgeCategoryPatch) {
        set(&mut self.name, patch.name);
        set_or_clear(&mut self.description, patch.description);
        set_or_clear(&mut self.icon, patch.icon);
        set(&mut self.status, patch.status);
        set(&mut self.sort_order, patch.sort_order);
    }
}
