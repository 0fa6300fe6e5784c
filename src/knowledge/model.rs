//! What an article is.

use poem_openapi::Object;
use serde::Serialize;

use crate::reference::Reference;
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

/// An article of the knowledge base.
#[derive(Debug, Object, Serialize)]
pub struct Article {
    /// The article's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its name in the address bar, unique.
    pub slug: String,
    /// What it says, in short.
    pub excerpt: Option<String>,
    /// What it says.
    pub content: String,
    /// Its category.
    pub category: Option<Reference>,
    /// How often it was read.
    #[oai(validator(minimum(value = "0")))]
    pub views: i64,
    /// Whether it is published; always so in a search.
    pub status: PublicationStatus,
    /// When it was written.
    pub created_at: Timestamp,
}
