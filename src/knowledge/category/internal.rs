//! The administrator's categories of the knowledge base.

use super::model::KnowledgeCategory;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for KnowledgeCategory {
    const PATH: &'static str = "/internal/knowledge-categories";
    const TAG: Tag = Tag::AdminKnowledgeCategories;
    const SCOPES: [Scope; 5] = [
        Scope::KnowledgeCategoriesList,
        Scope::KnowledgeCategoriesCreate,
        Scope::KnowledgeCategoriesRead,
        Scope::KnowledgeCategoriesUpdate,
        Scope::KnowledgeCategoriesDelete,
    ];
    const WORDS: Words = Words {
        one: "knowledge category",
        many: "knowledge categories",
        order: "By `sort_order`, then id, drafts included.",
        create: "",
        update: "Articles show its new name at once.",
        delete: "Its articles are in no category from then on, and stay whole.",
    };
}
