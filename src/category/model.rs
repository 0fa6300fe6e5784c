//! What a category is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Description, Id, Name, PublicationStatus, SortOrder};
use crate::time::Timestamp;

/// A category of tickets.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Category {
    /// The category's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The category's name.
    pub name: String,
    /// What belongs in it.
    pub description: Option<String>,
    /// The id of the category it is part of; null for one at the top.
    #[oai(validator(minimum(value = "1")))]
    pub parent_id: Option<i64>,
    /// Whether tickets can be put into it. Those in a draft stay there.
    pub status: PublicationStatus,
    /// Its place among the categories; equal places are sorted by name.
    pub sort_order: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed. Does not move when its parent is deleted.
    pub updated_at: Timestamp,
}

/// A category to be created.
#[derive(Debug, Object)]
pub struct NewCategory {
    /// The category's name.
    pub name: Name,
    /// What belongs in it.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// The id of the category it is part of; at the top when absent.
    #[oai(nullable)]
    pub parent_id: Option<Id>,
    /// Whether tickets can be put into it; `published` when absent.
    pub status: Option<PublicationStatus>,
    /// Its place among the categories; 0 when absent.
    pub sort_order: Option<SortOrder>,
}

/// What is to change about a category. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct CategoryPatch {
    /// A new name.
    pub name: Option<Name>,
    /// What belongs in it now; null clears it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// The id of the category it is part of now, neither itself nor one below it; null puts it at the top.
    #[oai(nullable)]
    pub parent_id: MaybeUndefined<Id>,
    /// Whether tickets can be put into it.
    pub status: Option<PublicationStatus>,
    /// A new place among the categories.
    pub sort_order: Option<SortOrder>,
}
