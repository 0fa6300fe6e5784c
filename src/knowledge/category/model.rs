//! What a category of the knowledge base is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Description, Name, PublicationStatus, SortOrder, Text};
use crate::time::Timestamp;

/// A category of the knowledge base.
#[derive(Clone, Debug, Object, Serialize)]
pub struct KnowledgeCategory {
    /// The category's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The category's name.
    pub name: String,
    /// What its articles are about.
    pub description: Option<String>,
    /// What to show beside its name: a symbol, or the name of one.
    pub icon: Option<String>,
    /// Whether it is published. Articles of a draft are found all the same.
    pub status: PublicationStatus,
    /// Its place among the categories; equal places are sorted by id.
    pub sort_order: i64,
    /// How many articles are in it, drafts included.
    #[oai(validator(minimum(value = "0")))]
    pub articles_count: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed. Does not move with its articles.
    pub updated_at: Timestamp,
}

/// A category of the knowledge base to be created.
#[derive(Debug, Object)]
pub struct NewKnowledgeCategory {
    /// The category's name.
    pub name: Name,
    /// What its articles are about.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// What to show beside its name.
    #[oai(nullable)]
    pub icon: Option<Text<0, 100>>,
    /// Whether it is published; `published` when absent.
    pub status: Option<PublicationStatus>,
    /// Its place among the categories; 0 when absent.
    pub sort_order: Option<SortOrder>,
}

/// What is to change about a category of the knowledge base. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct KnowledgeCategoryPatch {
    /// A new name.
    pub name: Option<Name>,
    /// What its articles are about now; null clears it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// What to show beside its name now; null clears it.
    #[oai(nullable)]
    pub icon: MaybeUndefined<Text<0, 100>>,
    /// Whether it is published.
    pub status: Option<PublicationStatus>,
    /// A new place among the categories.
    pub sort_order: Option<SortOrder>,
}
